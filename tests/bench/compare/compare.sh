#!/usr/bin/env bash
# Installs, as root, the programs that sockgate is compared with, and compares. See compare_main.cc.
set -u

packages=(nginx-light microsocks dante-server tinyproxy-bin squid bubblewrap socat)

missing=()
for package in "${packages[@]}"; do
  dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
done

# Debian starts a daemon when it is installed, unless this file says no (invoke-rc.d(8)). One that is there stays.
install_missing() {
  local refuse=/usr/sbin/policy-rc.d mine=no
  if [ ! -e "$refuse" ]; then
    printf '#!/bin/sh\nexit 101\n' >"$refuse" && chmod 755 "$refuse" && mine=yes
  fi
  DEBIAN_FRONTEND=noninteractive apt-get update -qq
  for package in "${missing[@]}"; do
    DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends "$package" >&2 ||
      echo "compare: cannot install $package" >&2
  done
  [ "$mine" = no ] || rm -f "$refuse"
}

if [ ${#missing[@]} -gt 0 ]; then
  if [ "$(id -u)" = 0 ]; then
    echo "Installing: ${missing[*]}" >&2
    install_missing
  else
    echo "compare: not installed, and so not compared: ${missing[*]}" >&2
  fi
fi

exec tests/bench/compare/compare_bench "$@"
