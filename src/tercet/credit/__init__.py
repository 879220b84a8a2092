"""Credit: whose works stand behind a video, in its Content Credentials and in credits.json."""
