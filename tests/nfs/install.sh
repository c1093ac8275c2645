#!/bin/bash
# Install Debian packages without starting the services that come with them:
#   install.sh PACKAGE...
set -uo pipefail
export DEBIAN_FRONTEND=noninteractive
policy=/usr/sbin/policy-rc.d
if [ ! -e $policy ]; then
  printf '#!/bin/sh\nexit 101\n' >$policy
  chmod 755 $policy
  trap 'rm -f $policy' EXIT
fi
get="apt-get -y -q -o DPkg::Lock::Timeout=600 --no-install-recommends"
$get install "$@" || { apt-get -q update && $get install "$@"; }
