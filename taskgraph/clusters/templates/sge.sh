#!/bin/bash
#$ -N @name@
#$ -t 1-@count@
#$ -S /bin/bash
#$ -cwd
#$ -j y
#$ -o log.$TASK_ID
#$ -r y
#$ -notify
@directives@
set -a; . @environment@; set +a
cd @folder@ || exit 2
exec @command@
