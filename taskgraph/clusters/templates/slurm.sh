#!/bin/bash
#SBATCH --job-name=@name@
#SBATCH --array=1-@count@
#SBATCH --output=log.%a
#SBATCH --open-mode=append
#SBATCH --requeue
@directives@
set -a; . @environment@; set +a
cd @folder@ || exit 2
exec @command@
