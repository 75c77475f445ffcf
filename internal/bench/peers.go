package main

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
)

// peer is a server that takes mail.
type peer struct {
	name    string
	process *process
	address netip.AddrPort
	secure  bool // offers STARTTLS
}

// place is where a peer may put its files and listen.
type place struct {
	dir         string
	address     netip.AddrPort
	certificate string // PEM, certificate and key
}

func (p place) path(name string) string { return filepath.Join(p.dir, name) }

// errAbsent says that a peer is not installed.
var errAbsent = errors.New("not here")

// program finds a program; servers are not on every user's PATH.
func program(name string) (string, error) {
	for _, dir := range []string{"", "/usr/local/sbin", "/usr/sbin", "/sbin"} {
		if path, err := exec.LookPath(filepath.Join(dir, name)); err == nil {
			return path, nil
		}
	}
	return "", fmt.Errorf("%s: %w", name, errAbsent)
}

// startTrapline serves with the defaults, but for a cap that one machine with all the sessions would
// meet.
func startTrapline(binary string, p place) (*process, error) {
	config := fmt.Sprintf(`hostname = "mx.traps.example"
data_dir = %q
[limits]
connections_per_ip = 10000
[[listen]]
address = %q
tls = "file"
cert_file = %q
key_file = %[3]q
[[trap]]
domain = %q
[web]
address = ""
[ops]
address = ""
`, p.path("data"), p.address, p.certificate, domain)
	file := p.path("trapline.toml")
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		return nil, err
	}
	return start(p.path("log"), binary, "serve", "--config", file)
}

// startSink serves with smtp-sink, which has no STARTTLS and refuses to be root.
func startSink(p place) (*process, error) {
	path, err := program("smtp-sink")
	if err != nil {
		return nil, err
	}
	args := []string{p.address.String(), "1000"}
	if _, err := user.Lookup("nobody"); err == nil && os.Geteuid() == 0 {
		args = append([]string{"-u", "nobody"}, args...)
	}
	return start(p.path("log"), path, args...)
}

// startBare serves with this program itself.
func startBare(p place) (*process, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	return start(p.path("log"), self, bareVerb, p.address.String(), p.certificate)
}

// main.cf of a Postfix that queues what it gets, and then throws it away. It is spared what would
// only slow it down: look-ups of names, counting clients, waiting for a queue that is behind.
const mainCF = `compatibility_level = 3.6
queue_directory = %[1]s/queue
data_directory = %[1]s/state
maillog_file = %[1]s/maillog
maillog_file_prefixes = %[1]s
inet_protocols = ipv4
myhostname = mx.%[2]s
mydestination = %[2]s
mynetworks = 127.0.0.0/8
alias_maps =
local_recipient_maps =
local_transport = discard:
smtpd_relay_restrictions = reject_unauth_destination
smtpd_peername_lookup = no
smtpd_client_connection_count_limit = 0
smtpd_tls_security_level = may
smtpd_tls_chain_files = %[3]s
default_process_limit = 500
in_flow_delay = 0
`

const masterCF = `%s inet n - n - - smtpd
cleanup  unix      n - n - 0   cleanup
qmgr     unix      n - n 300 1 qmgr
tlsmgr   unix      - - n 1000? 1 tlsmgr
rewrite  unix      - - n - -   trivial-rewrite
bounce   unix      - - n - 0   bounce
defer    unix      - - n - 0   bounce
trace    unix      - - n - 0   bounce
proxymap unix      - - n - -   proxymap
anvil    unix      - - n - 1   anvil
discard  unix      - - n - -   discard
postlog  unix-dgram n - n - 1  postlogd
`

func startPostfix(p place) (*process, error) {
	path, err := program("postfix")
	if err != nil {
		return nil, err
	}
	owner, err := user.Lookup("postfix")
	if err != nil || os.Geteuid() != 0 {
		return nil, fmt.Errorf("postfix needs its user and root: %w", errAbsent)
	}
	for _, dir := range []string{"etc", "queue", "state"} {
		if err := os.Mkdir(p.path(dir), 0o755); err != nil {
			return nil, err
		}
	}
	uid, err := strconv.Atoi(owner.Uid)
	if err != nil {
		return nil, err
	}
	if err := os.Chown(p.path("state"), uid, -1); err != nil {
		return nil, err
	}
	files := map[string]string{
		"etc/main.cf":   fmt.Sprintf(mainCF, p.dir, domain, p.certificate),
		"etc/master.cf": fmt.Sprintf(masterCF, p.address),
	}
	for name, text := range files {
		if err := os.WriteFile(p.path(name), []byte(text), 0o644); err != nil {
			return nil, err
		}
	}
	return start(p.path("log"), path, "-c", p.path("etc"), "start-fg")
}

// startPeer starts a server by its name, a path being one of trapline.
func startPeer(name string, p place) (peer, error) {
	peer := peer{name: name, address: p.address, secure: true}
	var err error
	switch name {
	case "smtp-sink":
		peer.secure = false
		peer.process, err = startSink(p)
	case "go-smtp":
		peer.process, err = startBare(p)
	case "postfix":
		peer.process, err = startPostfix(p)
	default:
		if !strings.Contains(name, "/") {
			return peer, fmt.Errorf("start %s: neither a peer that is known nor a path", name)
		}
		peer.name = filepath.Base(name)
		peer.process, err = startTrapline(name, p)
	}
	return peer, err
}

// freePort gives one that nobody listens on; nobody else asks in namespaces of our own.
func freePort(host netip.Addr) (netip.AddrPort, error) {
	l, err := net.Listen("tcp", netip.AddrPortFrom(host, 0).String())
	if err != nil {
		return netip.AddrPort{}, err
	}
	defer func() { _ = l.Close() }()
	return netip.ParseAddrPort(l.Addr().String())
}
