"""What people and programs are told of jobs: figures and lines alone; the screens are in `cli/jobs`."""
