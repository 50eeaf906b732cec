"""Hot reload: watching a project's files, and swapping what they mean."""
