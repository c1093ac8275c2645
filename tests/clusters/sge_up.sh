#!/bin/bash
# A small Grid Engine cluster (Son of Grid Engine 8.1.9) on one machine: one master, N exec hosts.
#
#   sge_up.sh up [N=2] [SLOTS=2] | sh 'command' | on I 'command' | lose I | down
#
# Needs root and Debian 12; installs its packages on first use. Host i is called g<i> and is a set
# of network, mount, UTS and PID namespaces; g1 also runs the master. Commands such as qsub have to
# run on a host: `sh` runs them on g1, `on I` on gI, both in the current directory. Spool, cell and
# /etc/hosts are bind mounts inside the namespaces, so the machine's own are untouched; ending the
# first process of a host ends everything on it.
#   SGE_WORK  work directory, default ./.sge
set -euo pipefail

WORK=$(realpath -m "${SGE_WORK:-.sge}")
export SGE_ROOT=/var/lib/gridengine SGE_CELL=default
SPOOL=/var/spool/gridengine

die() { echo "sge_up: $*" >&2; exit 1; }

install_packages() {
  local packages="gridengine-master gridengine-exec gridengine-client" own="" p kv
  local policy=/usr/sbin/policy-rc.d
  local get="apt-get -y -q -o DPkg::Lock::Timeout=600 --no-install-recommends"
  [ "$(for c in qsub sge_qmaster sge_execd; do command -v $c; done | wc -l)" = 3 ] && return
  export DEBIAN_FRONTEND=noninteractive
  for p in master common client; do
    for kv in "master string g1" "cell string default" "config boolean true"; do
      echo "gridengine-$p shared/gridengine$kv"
    done
  done | debconf-set-selections
  if [ ! -e $policy ]; then            # apt must not start the packages' own daemons
    own=1; printf '#!/bin/sh\nexit 101\n' >$policy; chmod 755 $policy
  fi
  $get install $packages >"$WORK/apt.log" 2>&1 ||
    { apt-get -q update && $get install $packages; } >>"$WORK/apt.log" 2>&1 || own=${own}F
  case $own in 1*) rm -f $policy ;; esac
  case $own in *F) die "installation failed, see $WORK/apt.log" ;; esac
}

# pid_of I: print the pid of the first process of host I, if it is alive and is the one we started.
pid_of() {
  local pid start
  [ -e "$WORK/host.$1" ] && read -r pid start <"$WORK/host.$1" || return 1
  [ "$(started "$pid")" = "$start" ] && echo "$pid"
}
started() { sed 's/.*) //' "/proc/$1/stat" 2>/dev/null | cut -d' ' -f20; }

# on I WORD...: run a command on host I.
on() {
  local pid
  pid=$(pid_of "$1") || die "host $1 is not up in $WORK"; shift
  nsenter -t "$pid" -n -m -u -p -- bash -c 'cd "$1" && shift && exec "$@"' - "$PWD" "$@"
}
quietly() { "$@" >>"$WORK/setup.log" 2>&1; }

start_host() {
  local i=$1 parent pid
  setsid unshare -n -m -u -p -f --mount-proc --kill-child bash -c '
      hostname "g$1"; mount --bind "$2/hosts" /etc/hosts
      mount --bind "$2/spool" "$3"; mount --bind "$2/cell" "$SGE_ROOT/$SGE_CELL"
      ip link set lo up; : >"$2/ready.$1"
      while :; do sleep 3600 & wait $!; done' - "$i" "$WORK" "$SPOOL" \
    </dev/null >>"$WORK/setup.log" 2>&1 &
  parent=$!
  for _ in $(seq 250); do [ -e "$WORK/ready.$i" ] && break; sleep 0.02; done
  [ -e "$WORK/ready.$i" ] || die "host $i did not start, see $WORK/setup.log"
  pid=$(tr -d ' ' <"/proc/$parent/task/$parent/children")
  echo "$pid $(started "$pid")" >"$WORK/host.$i"
  if [ "$i" = 1 ]; then                # the wire is a bridge that lives on g1
    nsenter -t "$pid" -n ip link add br0 type bridge
    nsenter -t "$pid" -n ip addr add 10.99.0.1/24 dev br0
    nsenter -t "$pid" -n ip link set br0 up
  else
    nsenter -t "$(pid_of 1)" -n ip link add "v$i" type veth peer name eth0 netns "$pid"
    nsenter -t "$(pid_of 1)" -n ip link set "v$i" master br0 up
    nsenter -t "$pid" -n ip addr add "10.99.0.$i/24" dev eth0
    nsenter -t "$pid" -n ip link set eth0 up
  fi
}

make_spool() {                         # always new: a killed master leaves a database to recover
  install -d -o sgeadmin -g sgeadmin "$WORK"/spool/{,spooldb,qmaster,qmaster/job_scripts,execd}
  install -d -o sgeadmin -g sgeadmin "$WORK"/cell/{,common}
  cat >"$WORK/cell/common/bootstrap" <<BOOTSTRAP
Version: 6.2
admin_user              sgeadmin
default_domain          none
ignore_fqdn             false
spooling_method         berkeleydb
spooling_lib            libspoolb
spooling_params         $SPOOL/spooldb
binary_path             /usr/sbin
qmaster_spool_dir       $SPOOL/qmaster
security_mode           none
listener_threads        2
worker_threads          2
scheduler_threads       1
BOOTSTRAP
  echo g1 >"$WORK/cell/common/act_qmaster"
  chown sgeadmin:sgeadmin "$WORK"/cell/common/*
}

start_master() {
  quietly on 1 su -s /bin/sh -c "/usr/share/gridengine/scripts/init_cluster $SGE_ROOT $SGE_CELL \
    $SPOOL/spooldb sgeadmin" sgeadmin
  on 1 install -d -o sgeadmin -g sgeadmin /var/run/gridengine
  quietly on 1 /usr/sbin/sge_qmaster
  for _ in $(seq 100); do quietly on 1 qconf -sh && return; sleep 0.1; done
  die "master did not answer, see $WORK/spool/qmaster/messages"
}

# Root (uid 0) must be allowed before the exec daemons start, else the queue goes to state E.
configure() {
  local n=$1 slots=$2 i
  quietly on 1 qconf -am root || true
  on 1 qconf -sconf | sed -e 's/^min_uid .*/min_uid 0/' -e 's/^min_gid .*/min_gid 0/' \
    -e "s#^execd_spool_dir .*#execd_spool_dir $SPOOL/execd#" >"$WORK/global"
  quietly on 1 qconf -Mconf "$WORK/global"
  for i in $(seq "$n"); do quietly on 1 qconf -as "g$i"; quietly on 1 qconf -ah "g$i" || true; done
  printf 'group_name @allhosts\nhostlist NONE\n' >"$WORK/hostgroup"
  quietly on 1 qconf -shgrp @allhosts || quietly on 1 qconf -Ahgrp "$WORK/hostgroup"
  for i in $(seq "$n"); do quietly on "$i" /usr/sbin/sge_execd; done
  for i in $(seq "$n"); do quietly on 1 qconf -aattr hostgroup hostlist "g$i" @allhosts; done
  on 1 qconf -sq | sed -e 's/^qname .*/qname main.q/' -e 's/^hostlist .*/hostlist @allhosts/' \
    -e "s/^slots .*/slots $slots/" -e 's/^load_thresholds .*/load_thresholds NONE/' \
    -e 's#^shell  *.*#shell /bin/bash#' -e 's/^notify .*/notify 00:00:05/' \
    -e 's/^rerun .*/rerun TRUE/' -e 's/^shell_start_mode .*/shell_start_mode unix_behavior/' \
    -e 's/^priority .*/priority 0/' -e 's/^pe_list .*/pe_list NONE/' >"$WORK/queue"
  quietly on 1 qconf -Aq "$WORK/queue"
  on 1 qconf -ssconf | sed -e 's/^schedule_interval .*/schedule_interval 0:0:2/' \
    -e 's/^flush_submit_sec .*/flush_submit_sec 1/' \
    -e 's/^flush_finish_sec .*/flush_finish_sec 1/' >"$WORK/scheduler"
  quietly on 1 qconf -Msconf "$WORK/scheduler"
}

up() {
  local n=$1 slots=$2 i
  [[ $n =~ ^[1-9][0-9]?$ && $slots =~ ^[1-9][0-9]*$ ]] || die "up N (1 to 99) SLOTS"
  case $WORK in *[[:space:]]*) die "blank in work directory: $WORK" ;; esac
  pid_of 1 >/dev/null && die "already up in $WORK"
  if [ -e "$WORK" ]; then              # reuse only what this script made
    [ -e "$WORK/.made_by_sge_up" ] || die "$WORK exists and is not a former work directory"
    rm -rf "$WORK"
  fi
  mkdir -p "$WORK"; touch "$WORK/.made_by_sge_up"
  install_packages
  mkdir -p "$SGE_ROOT/$SGE_CELL" "$SPOOL"
  { echo 127.0.0.1 localhost; for i in $(seq "$n"); do echo "10.99.0.$i g$i"; done; } >"$WORK/hosts"
  make_spool
  for i in $(seq "$n"); do start_host "$i"; done
  start_master
  configure "$n" "$slots"
  for _ in $(seq 150); do
    if [ "$(on 1 qstat -f 2>/dev/null | grep -c 'main.q@.*lx-amd64 *$')" = "$n" ]; then
      on 1 qstat -f; return
    fi
    sleep 0.2
  done
  on 1 qstat -f >&2; down; die "queues did not come up in 30 s, see $WORK/setup.log"
}

# Cut the power of host I: its first process ends, and so all of it.
lose() { kill -9 "$(pid_of "$1")"; }

down() {
  local file i pid
  [ -e "$WORK/.made_by_sge_up" ] || die "nothing was started in $WORK"
  for file in "$WORK"/host.*; do
    i=${file##*.}
    pid=$(pid_of "$i") || continue
    kill -9 "$pid"                     # first process of a PID namespace: all of the host ends
    for _ in $(seq 100); do pid_of "$i" >/dev/null || break; sleep 0.05; done
  done
}

case ${1:-} in
  up) up "${2:-2}" "${3:-2}" ;;
  sh) shift; on 1 bash -c "$*" ;;
  on) i=$2; shift 2; on "$i" bash -c "$*" ;;
  lose) lose "$2" ;;
  down) down ;;
  *) die "usage: sge_up.sh up [N] [SLOTS] | sh 'command' | on I 'command' | lose I | down" ;;
esac
