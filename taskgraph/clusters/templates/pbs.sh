#!/bin/bash
#PBS -N @name@
#PBS -j oe
#PBS -o /dev/null
#PBS -r y
@directives@
# An array of @count@ (by qsub -J, which is not said here: what is submitted again is one job).
# A user of PBS may not queue a job again: with work left, this script submits itself.
number=${TG_ELEMENT:-${PBS_ARRAY_INDEX:-1}}
exec >>@log@."$number" 2>&1
set -a; . @environment@; set +a
cd @folder@ || exit 2
@command@
code=$?
if [ $code = 5 ]; then
  (cd @place@ && qsub -v TG_ELEMENT="$number" @script@ >>again)
fi
exit $code
