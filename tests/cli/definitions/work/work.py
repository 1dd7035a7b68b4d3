"""Work for a while, then end as asked."""

import argparse
import pathlib
import sys
import time

parser = argparse.ArgumentParser()
parser.add_argument("--seconds", type=float)
parser.add_argument("--exit", type=int)
arguments = parser.parse_args()
sys.stdout.write("at work\n")
sys.stdout.flush()
time.sleep(arguments.seconds)
pathlib.Path("/opt/ml/processing/result/done.txt").write_text("done\n")
if arguments.exit:
    sys.stderr.write("this went wrong\n")
sys.exit(arguments.exit)
