#!/bin/sh
# What resolvers and others may ask of rbldnsd, and its log of that: see README.md.
set -eu
dir=$1 resolver=192.0.2.53 other=192.0.2.66 server=192.0.2.1
resolver6=2001:db8::53 server6=2001:db8::1

ip link set lo up
for a in $resolver $other $server; do ip address add $a/32 dev lo; done
for a in $resolver6 $server6; do ip address add $a/128 dev lo nodad; done
cat >"$dir/zone" <<END
\$SOA 60 ns.bl.example hostmaster.bl.example 1 600 300 86400 60
\$NS 60 ns.bl.example
\$DATASET ip4trie @
:2:Listed, see \$
127.0.0.2
198.51.100.7
\$DATASET ip6trie @
:2:Listed
::ffff:7f00:2
2001:db8::/64
END
chown rbldns "$dir"
rbldnsd -u rbldns -w "$dir" -b $server/53 -b $server6/53 -l +queries.log bl.example:combined:zone >&2

ask() {
  from=$1 to=$server
  shift
  [ $from != $resolver6 ] || to=$server6
  dig @$to -b $from +tries=1 +time=1 +notcp "$@" >/dev/null || true
}
seven=7.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2
mapped=0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0

ask $resolver 7.100.51.198.bl.example A
ask $resolver 7.100.51.198.bl.example TXT
ask $resolver 7.100.51.198.BL.exAMple A
ask $resolver6 7.100.51.198.bl.example A
ask $other 7.100.51.198.bl.example A
ask $resolver 9.100.51.198.bl.example TXT
for type in AAAA TYPE65 'CH TXT'; do ask $resolver 8.100.51.198.bl.example $type; done
for name in 100.51.198 1.7.100.51.198 256.100.51.198 007.100.51.198 '*.100.51.198' 'evil\032name\.x' \
  '7\.100.51.198' '7.100.51.198\032A\032IN:\032NOERROR/1/71\010' '\255(\"\;\@\$' \
  "$(printf '\\255%.0s' $(seq 60))"; do
  ask $resolver "$name.bl.example" A
done
ask $resolver bl.example SOA
ask $resolver . NS
ask $resolver version.bind CH TXT
for zone in other.example xbl.example example bl.example.net; do ask $resolver 7.100.51.198.$zone A; done
for name in 2.0.0.127 1.0.0.10 1.0.0.0.${seven#*.*.*.*.} 1.$mapped.f.f.f.f.0.0.0.0.0.0.7; do
  ask $resolver $name.bl.example A
done
ask $resolver $seven.bl.example A
ask $resolver "$(echo $seven | tr a-f A-F).bl.example" A
ask $resolver "$seven.$seven.bl.example" A
ask $resolver b.0.4.6.3.3.6.c.f.f.f.f.${mapped}.bl.example A
ask $resolver b.0.0.4.6.3.3.6.c.f.f.f.f.${mapped}.bl.example A
