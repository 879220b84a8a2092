"""Media out: frames become video files, thumbnails and sprite sheets."""
