#!/bin/bash
#BSUB -J @name@[1-@count@]
#BSUB -o /dev/null
#BSUB -r
#BSUB -Q 5
@directives@
exec >>@log@."$LSB_JOBINDEX" 2>&1
set -a; . @environment@; set +a
cd @folder@ || exit 2
exec @command@
