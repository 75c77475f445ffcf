#!/bin/sh
# Writes down anew what an Exim says (exim.txt), with the Exim of Debian's packages and without
# installing them: usage, in this folder, as root, with the folder /etc/exim4 made before
#   apt-get download exim4-daemon-light exim4-base libidn12
#   for p in *.deb; do dpkg-deb -x $p root; done
#   go test -c -o persona.test ../..
#   unshare --mount --net --pid --fork --kill-child --mount-proc sh exim.sh root persona.test
# The test starts an Exim for each connection, as inetd does. Users, names and configuration are
# those of this namespace alone.
set -eu
root=$(realpath "$1") test=$(realpath "$2") here=$(pwd)
dir=$(mktemp -d)
chmod 755 "$dir"
ip link set lo up

cp /etc/passwd /etc/group "$dir"
echo 'Debian-exim:x:9901:9901::/:/usr/sbin/nologin' >>"$dir/passwd"
echo 'Debian-exim:x:9901:' >>"$dir/group"
printf 'passwd: files\ngroup: files\nhosts: files\n' >"$dir/nsswitch.conf"
echo 'nameserver 127.0.0.1' >"$dir/resolv.conf"
echo '127.0.0.1 localhost mx.traps.example' >"$dir/hosts"
for file in passwd group nsswitch.conf resolv.conf hosts; do
  mount --bind "$dir/$file" "/etc/$file"
done
mkdir "$dir/spool" "$dir/log"
chown 9901:9901 "$dir/spool" "$dir/log"
openssl req -x509 -newkey rsa:2048 -nodes -days 3650 -subj /CN=mx.traps.example \
  -keyout "$dir/key.pem" -out "$dir/cert.pem" 2>/dev/null
chmod 644 "$dir/key.pem"
mount -t overlay overlay -o "lowerdir=$root/usr/sbin:/usr/sbin" /usr/sbin
mount -t tmpfs none /etc/exim4
cat >/etc/exim4/exim4.conf <<END
primary_hostname = mx.traps.example
spool_directory = $dir/spool
log_file_path = $dir/log/%slog
exim_user = Debian-exim
exim_group = Debian-exim
host_lookup =
rfc1413_query_timeout = 0s
queue_only = true
keep_environment =
message_size_limit = 20000
recipients_max = 3
smtp_receive_timeout = 3s
tls_advertise_hosts = *
tls_certificate = $dir/cert.pem
tls_privatekey = $dir/key.pem
dsn_advertise_hosts = *
smtputf8_advertise_hosts = *
chunking_advertise_hosts =
pipelining_connect_advertise_hosts =
acl_smtp_rcpt = rcpt
acl_smtp_data = data
begin acl
rcpt:
  require verify = recipient
  accept
data:
  accept
begin routers
here:
  driver = accept
  domains = traps.example
  local_parts = x : y
  transport = nowhere
begin transports
nowhere:
  driver = appendfile
  file = /dev/null
END
cd "$here/../.."
LD_LIBRARY_PATH=$root/usr/lib/$(uname -m)-linux-gnu "$test" -test.run TestExim -update \
  -exim /usr/sbin/exim4
rm -r "$dir"
