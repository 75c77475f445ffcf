#!/bin/sh
# A mail server that asks the list, alone in the world: usage
#   unshare --mount --net --pid --fork --kill-child --mount-proc sh postfix.sh DIR ZONE USER
# DIR holds the folder zone with the file ZONE; USER is who rbldnsd runs as. One client that is
# listed and one that is not bring mail, and what both were told is printed. Whatever is started and
# mounted here ends with the namespaces.
set -eu
dir=$1 zone=$2 user=$3
listed=198.51.100.7 unlisted=198.51.100.9

ip link set lo up
ip address add $listed/32 dev lo
ip address add $unlisted/32 dev lo
echo 'nameserver 127.0.0.1' >"$dir/resolv.conf"
mount --bind "$dir/resolv.conf" /etc/resolv.conf
rbldnsd -u "$user" -w "$dir/zone" -b 127.0.0.1/53 "$zone:combined:$zone"

mkdir "$dir/etc" "$dir/queue" "$dir/state"
chown postfix "$dir/state"
cat >"$dir/etc/main.cf" <<END
compatibility_level = 3.6
queue_directory = $dir/queue
data_directory = $dir/state
maillog_file = $dir/postfix.log
maillog_file_prefixes = $dir
inet_interfaces = all
inet_protocols = ipv4
myhostname = mx.taker.example
mydestination = taker.example
mynetworks = 127.0.0.1/32
alias_maps =
local_recipient_maps =
local_transport = discard:
smtpd_client_restrictions = reject_rbl_client $zone=127.0.0.[2..4]
smtpd_relay_restrictions = reject_unauth_destination
END
cat >"$dir/etc/master.cf" <<END
smtp     inet      n - n - -   smtpd
cleanup  unix      n - n - 0   cleanup
qmgr     unix      n - n 300 1 qmgr
rewrite  unix      - - n - -   trivial-rewrite
bounce   unix      - - n - 0   bounce
defer    unix      - - n - 0   bounce
trace    unix      - - n - 0   bounce
proxymap unix      - - n - -   proxymap
anvil    unix      - - n - 1   anvil
discard  unix      - - n - -   discard
postlog  unix-dgram n - n - 1  postlogd
END
postfix -c "$dir/etc" start

for client in $listed $unlisted; do
  echo "== $client"
  swaks --server 127.0.0.1 --local-interface $client --helo mail.sender.example \
    --from a@sender.example --to b@taker.example 2>&1 || true
done
