"""`python -m sprout_like`: the same as `sprout-like`."""

from sprout_like.cli.main import run

if __name__ == "__main__":
    run()
