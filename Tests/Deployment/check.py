"""What Tests/Deployment/check does, inside its environment."""

import sys

import chain
import deployment

command, path = sys.argv[1:]
if command == "stages":
    for stage in deployment.stages(path):
        print(*stage, sep="\t")
else:
    {"compose": deployment.compose, "kubernetes": deployment.kubernetes, "run": chain.run}[command](path)
