#!/bin/sh
# A mail server to compare with, in the foreground: usage
#   unshare --mount --pid --fork --kill-child --mount-proc sh postfix.sh DIR PORT
# DIR holds cert.pem and key.pem. All is as Postfix comes, but for what a trap has differently
# (which commands are offered, and limits small enough to be reached) and for what keeps the test
# fast. It ends with the namespace.
set -eu
dir=$1 port=$2
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
myhostname = mx.traps.example
mydestination = traps.example
local_recipient_maps = inline:{x=x, y=y}
local_transport = discard:
smtpd_relay_restrictions = reject_unauth_destination
smtpd_peername_lookup = no
smtpd_discard_ehlo_keywords = chunking, etrn, vrfy
smtpd_tls_security_level = may
smtpd_tls_cert_file = $dir/cert.pem
smtpd_tls_key_file = $dir/key.pem
message_size_limit = 20000
smtpd_recipient_limit = 3
smtpd_timeout = 3s
smtpd_error_sleep_time = 0
smtpd_client_connection_count_limit = 0
END
cat >"$dir/etc/master.cf" <<END
127.0.0.1:$port inet n - n - - smtpd
cleanup  unix      n - n - 0   cleanup
qmgr     unix      n - n 300 1 qmgr
rewrite  unix      - - n - -   trivial-rewrite
bounce   unix      - - n - 0   bounce
defer    unix      - - n - 0   bounce
trace    unix      - - n - 0   bounce
proxymap unix      - - n - -   proxymap
anvil    unix      - - n - 1   anvil
tlsmgr   unix      - - n 1000? 1 tlsmgr
discard  unix      - - n - -   discard
postlog  unix-dgram n - n - 1  postlogd
END
exec postfix -c "$dir/etc" start-fg
