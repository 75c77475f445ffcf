#!/bin/sh
# Mail that Postfix takes, or does not, and its log of that: see README.md.
set -eu
dir=$1 server=192.0.2.25 known=198.51.100.7 unknown=198.51.100.9
server6=2001:db8::25 known6=2001:db8::7

ip link set lo up
for a in $server $known $unknown; do ip address add $a/32 dev lo; done
for a in $server6 $known6; do ip address add $a/128 dev lo nodad; done
printf '%s\n' '127.0.0.1 localhost' "$known mail.sender.example" "$known6 six.sender.example" >"$dir/hosts"
echo 'nameserver 127.0.0.1' >"$dir/resolv.conf"
mount --bind "$dir/hosts" /etc/hosts
mount --bind "$dir/resolv.conf" /etc/resolv.conf

mkdir "$dir/etc" "$dir/queue" "$dir/state"
chown postfix "$dir/state"
cat >"$dir/etc/headers" <<END
/^Subject: refuse/ REJECT
/^Subject: discard/ DISCARD
/^Subject: hold/ HOLD
END
cat >"$dir/etc/main.cf" <<END
compatibility_level = 3.6
queue_directory = $dir/queue
data_directory = $dir/state
maillog_file = $dir/mail.log
maillog_file_prefixes = $dir
inet_interfaces = all
myhostname = mx.taker.example
mydestination = taker.example
mynetworks = 127.0.0.0/8
alias_maps =
local_recipient_maps =
local_transport = discard:
smtpd_relay_restrictions = reject_unauth_destination
smtpd_recipient_restrictions = check_recipient_access inline:{nobody@taker.example=REJECT}
smtpd_authorized_xforward_hosts = 127.0.0.0/8
header_checks = regexp:$dir/etc/headers
END
cat >"$dir/etc/master.cf" <<END
25       inet      n - n - -   smtpd
2501     inet      n - n - -   smtpd -o smtpd_client_port_logging=yes
2502     inet      n - n - -   smtpd -o smtpd_proxy_filter=127.0.0.1:10025 -o syslog_name=postfix/mx1
2503     inet      n - n - -   smtpd -o content_filter=smtp:[127.0.0.1]:10025
2504     inet      n - n - -   smtpd -o cleanup_service_name=long
10025    inet      n - n - -   smtpd -o syslog_name=postfix/back
587      inet      n - n - -   smtpd -o syslog_name=postfix/submission
cleanup  unix      n - n - 0   cleanup
long     unix      n - n - 0   cleanup -o enable_long_queue_ids=yes
qmgr     unix      n - n 300 1 qmgr
rewrite  unix      - - n - -   trivial-rewrite
bounce   unix      - - n - 0   bounce
defer    unix      - - n - 0   bounce
trace    unix      - - n - 0   bounce
proxymap unix      - - n - -   proxymap
anvil    unix      - - n - 1   anvil
discard  unix      - - n - -   discard
smtp     unix      - - n - -   smtp -o smtp_send_xforward_command=yes
pickup   unix      n - n 60 1  pickup
postlog  unix-dgram n - n - 1  postlogd
END
postfix -c "$dir/etc" start >&2

send() {
  from=$1
  shift
  swaks --server $server --local-interface $from --helo mail.sender.example --from a@sender.example \
    --to b@taker.example "$@" >&2 || true
}
send $known
swaks -6 --server $server6 --local-interface $known6 --helo six.sender.example --from a@sender.example \
  --to b@taker.example >&2
for port in 2501 2502 2503 2504 587; do send $unknown --port $port; done
for subject in refuse discard hold; do send $unknown --header "Subject: $subject"; done
send $unknown --quit-after RCPT
send $unknown --drop-after-send DATA
send $unknown --to b@taker.example,nobody@taker.example
send $unknown --to nobody@taker.example
send $unknown --to c@elsewhere.example
send $unknown --from '"x: client=y[203.0.113.9] (queue active)"@sender.example' --helo 'y[203.0.113.9]'
send $unknown --from '<x: client=y[203.0.113.9]>'
printf 'Subject: by hand\n\n' | sendmail -C "$dir/etc" b@taker.example
postqueue -c "$dir/etc" -f
n=0
until grep -q 'from=<root.*queue active' "$dir/mail.log" || [ $n = 100 ]; do n=$((n + 1)); sleep 0.1; done
postfix -c "$dir/etc" stop >&2
sed -i "s|$dir|/srv|g; s|\(message-id=<[^@]*\)@[a-z0-9.-]*>|\1@mail.example>|" "$dir/mail.log"
