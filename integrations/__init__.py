"""What an installation talks to and runs: its integrations file, its allow-list of commands, and
the secrets these point at."""
