#!/bin/bash
# A small Slurm cluster on one machine: its own munged, one slurmctld, N slurmd.
#
#   slurm_up.sh up [N=3] | status | down
#
# Needs root and Debian 12; installs its packages on first use. Uses neither systemd nor cgroups nor
# an accounting database, and writes nothing outside its work directory.
#   SLURM_WORK  work directory, default ./.slurm (no blanks, at most 80 characters)
#   SLURM_PORT  port of the controller, default 16817; node i listens on SLURM_PORT+1+i
# Afterwards: export SLURM_CONF=<work directory>/slurm.conf, then sbatch, squeue, scancel as usual.
set -euo pipefail

WORK=$(realpath -m "${SLURM_WORK:-.slurm}")
PORT=${SLURM_PORT:-16817}
KILL_WAIT=5                            # seconds from SIGTERM to SIGKILL
export SLURM_CONF=$WORK/slurm.conf

die() { echo "slurm_up: $*" >&2; exit 1; }

install_packages() {
  local packages="slurmctld slurmd slurm-client munge" policy=/usr/sbin/policy-rc.d own=""
  [ "$(for c in slurmctld slurmd sbatch munged; do command -v $c; done | wc -l)" = 4 ] && return
  export DEBIAN_FRONTEND=noninteractive
  if [ ! -e $policy ]; then            # apt must not start the packages' own daemons
    own=1; printf '#!/bin/sh\nexit 101\n' >$policy; chmod 755 $policy
  fi
  local get="apt-get -y -q -o DPkg::Lock::Timeout=600 --no-install-recommends"
  $get install $packages >"$WORK/apt.log" 2>&1 ||
    { apt-get -q update && $get install $packages; } >>"$WORK/apt.log" 2>&1 || own=${own}F
  case $own in 1*) rm -f $policy ;; esac
  case $own in *F) die "installation failed, see $WORK/apt.log" ;; esac
}

# running NAME PIDFILE: print the pid if the file names a live process of that name.
running() {
  local pid
  pid=$(cat "$2" 2>/dev/null) && [ -n "$pid" ] || return 1
  [ "$(cat "/proc/$pid/comm" 2>/dev/null)" = "$1" ] && echo "$pid"
}

# end PID: SIGTERM, after 10 s SIGKILL; returns when the process is gone.
end() {
  kill "$1" 2>/dev/null || return 0
  for _ in $(seq 100); do kill -0 "$1" 2>/dev/null || return 0; sleep 0.1; done
  kill -9 "$1" 2>/dev/null || true
}

# Step daemons have no pid file; ours are those whose environment names our slurm.conf.
step_daemons() {
  local comm pid
  for comm in /proc/[0-9]*/comm; do
    pid=${comm#/proc/}; pid=${pid%/comm}
    [[ "$(cat "$comm" 2>/dev/null)" == slurmstepd* ]] || continue
    grep -zqxF "SLURM_CONF=$SLURM_CONF" "/proc/$pid/environ" 2>/dev/null && echo "$pid"
  done
  true
}

# below PID: print the pids of all descendants.
below() {
  local child
  for child in $(cat /proc/"$1"/task/*/children 2>/dev/null); do echo "$child"; below "$child"; done
}

write_config() {
  local n=$1 host nodes=n1 ports=$((PORT + 2))
  host=$(hostname -s)
  if [ "$n" -gt 1 ]; then nodes="n[1-$n]"; ports="[$((PORT + 2))-$((PORT + 1 + n))]"; fi
  cat >"$SLURM_CONF" <<CONF
ClusterName=ci
SlurmctldHost=$host(127.0.0.1)
SlurmctldPort=$PORT
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
# cred_expire: a requeued job waits until its old credential has expired, 120 s by default.
AuthInfo=socket=$WORK/munge/sock,cred_expire=5
CredType=cred/munge
StateSaveLocation=$WORK/state
SlurmdSpoolDir=$WORK/run/spool.%n
SlurmctldPidFile=$WORK/run/slurmctld.pid
SlurmdPidFile=$WORK/run/slurmd.%n.pid
SlurmctldLogFile=$WORK/log/slurmctld.log
SlurmdLogFile=$WORK/log/slurmd.%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=task=5
JobCompType=jobcomp/filetxt
JobCompLoc=$WORK/log/jobcomp.log
AccountingStorageType=accounting_storage/none
SwitchType=switch/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SchedulerParameters=sched_interval=2,sched_min_interval=0,batch_sched_delay=0,\
bf_interval=5,requeue_delay=1
ReturnToService=2
MaxArraySize=1001
MaxJobCount=10000
KillWait=$KILL_WAIT
UnkillableStepTimeout=30
SlurmdTimeout=15
InactiveLimit=0
MinJobAge=300
JobRequeue=1
SlurmdParameters=config_overrides
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
NodeName=$nodes NodeHostname=$host NodeAddr=127.0.0.1 Port=$ports \
CPUs=$(($(nproc) * 2)) RealMemory=1000 State=UNKNOWN
PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE State=UP PriorityTier=1
PartitionName=high Nodes=ALL MaxTime=INFINITE State=UP PriorityTier=10
CONF
  printf 'CgroupPlugin=cgroup/v1\nCgroupAutomount=no\nConstrainCores=no\nConstrainRAMSpace=no\n' \
    >"$WORK/cgroup.conf"
}

up() {
  local n=$1 i
  [[ $n =~ ^[1-9][0-9]*$ ]] || die "number of nodes: $n"
  case $WORK in *[[:space:]]*) die "blank in work directory: $WORK" ;; esac
  [ ${#WORK} -le 80 ] || die "work directory too long for a Unix socket, set SLURM_WORK: $WORK"
  running slurmctld "$WORK/run/slurmctld.pid" >/dev/null && die "already up in $WORK"
  for i in $(seq "$PORT" $((PORT + 1 + n))); do
    ! (exec 3<>"/dev/tcp/127.0.0.1/$i") 2>/dev/null || die "port $i is in use, set SLURM_PORT"
  done
  if [ -e "$WORK" ]; then              # reuse only what this script made
    [ -e "$WORK/.made_by_slurm_up" ] || die "$WORK exists and is not a former work directory"
    rm -rf "$WORK"
  fi
  mkdir -p "$WORK"/{state,log,run,munge}; touch "$WORK/.made_by_slurm_up"; chmod 755 "$WORK"
  install_packages
  head -c 1024 /dev/urandom >"$WORK/munge/key"; chmod 600 "$WORK/munge/key"
  munged --force --key-file="$WORK/munge/key" --socket="$WORK/munge/sock" \
    --pid-file="$WORK/munge/pid" --log-file="$WORK/munge/log" --seed-file="$WORK/munge/seed"
  write_config "$n"
  slurmctld -c
  for i in $(seq "$n"); do mkdir -p "$WORK/run/spool.n$i"; slurmd -N "n$i"; done
  for _ in $(seq 200); do
    # Nodes count as idle before their slurmd has registered; a job would then wait for seconds.
    if [ "$(sinfo -h -p main -t idle -o %D 2>/dev/null)" = "$n" ] &&
      [[ "$(scontrol show node)" != *SlurmdStartTime=None* ]]; then
      sinfo; echo "export SLURM_CONF=$SLURM_CONF"; return
    fi
    sleep 0.1
  done
  tail -n 20 "$WORK"/log/*.log >&2; down; die "nodes did not become idle in 20 s"
}

down() {
  local file pid nodes=""
  [ -e "$WORK/.made_by_slurm_up" ] || die "nothing was started in $WORK"
  if running slurmctld "$WORK/run/slurmctld.pid" >/dev/null; then
    squeue -h -o %A | sort -u | xargs -r scancel 2>/dev/null || true
    for _ in $(seq $(((KILL_WAIT + 5) * 5))); do [ -z "$(step_daemons)" ] && break; sleep 0.2; done
  fi
  for file in "$WORK"/run/slurmd.*.pid; do
    if pid=$(running slurmd "$file"); then nodes="$nodes $pid"; kill "$pid"; fi
  done
  for pid in $nodes; do end "$pid"; done
  for pid in $(step_daemons); do       # jobs that outlived scancel
    below "$pid" | xargs -r kill -9 2>/dev/null || true
    end "$pid"
  done
  if pid=$(running slurmctld "$WORK/run/slurmctld.pid"); then end "$pid"; fi
  if pid=$(running munged "$WORK/munge/pid"); then end "$pid"; fi
}

case ${1:-} in
  up) up "${2:-3}" ;;
  status) sinfo; squeue ;;
  down) down ;;
  *) die "usage: slurm_up.sh up [N] | status | down" ;;
esac
