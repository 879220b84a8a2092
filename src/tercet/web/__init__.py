"""The pages: server-rendered, with one vendored script, working without it where they can."""
