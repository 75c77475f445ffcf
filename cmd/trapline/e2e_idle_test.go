package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"flag"
	"fmt"
	"math/big"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/trapline/trapline/internal/testpeer"
)

var idlers = flag.Int("idlers", 2000, "connections that BenchmarkIdle holds open")

// roomForIdlers lets them all in and stay.
const roomForIdlers = `
connections = 10000
connections_per_ip = 10000
command_timeout = "9m"
`

// idleStages are how far a connection goes before it falls silent.
var idleStages = []struct {
	name   string
	secure bool // needs STARTTLS
	far    func(net.Conn) (*client, error)
}{
	{"greeted", false, greeted},
	{"after EHLO", false, afterHello},
	{"after STARTTLS and EHLO", true, afterTLS},
}

// idlePeers are servers that hold them.
var idlePeers = []struct {
	name   string
	secure bool
	start  func(b *testing.B) (address string, pid int)
}{
	{"trapline", true, startIdleDaemon},
	{"go-smtp", true, startIdleBare},
	{"smtp-sink", false, startIdleSink},
}

// BenchmarkIdle tells what a connection costs in memory that does nothing: the growth of what is in
// memory, with what the collector has not taken back yet, by the number of connections.
func BenchmarkIdle(b *testing.B) {
	for _, stage := range idleStages {
		for _, peer := range idlePeers {
			if stage.secure && !peer.secure {
				continue
			}
			b.Run(stage.name+"/"+peer.name, func(b *testing.B) {
				for b.Loop() {
					address, pid := peer.start(b)
					before := ownMemory(b, pid)
					holdOpen(b, address, stage.far)
					b.ReportMetric((ownMemory(b, pid)-before)/float64(*idlers), "B/connection")
				}
			})
		}
	}
}

// holdOpen opens the connections and keeps them until the benchmark ends.
func holdOpen(b *testing.B, address string, far func(net.Conn) (*client, error)) {
	b.Helper()
	var all errgroup.Group
	all.SetLimit(50)
	for range *idlers {
		all.Go(func() error {
			conn, err := net.DialTimeout("tcp", address, patience)
			if err != nil {
				return err
			}
			b.Cleanup(func() { _ = conn.Close() })
			_, err = far(conn)
			return err
		})
	}
	if err := all.Wait(); err != nil {
		b.Fatal(err)
	}
}

func greeted(conn net.Conn) (*client, error) {
	c := newClient(conn)
	_, _, err := c.ReadResponse(220)
	return c, err
}

func afterHello(conn net.Conn) (*client, error) {
	c, err := greeted(conn)
	if err != nil {
		return nil, err
	}
	return c, c.say(250, "EHLO mail.sender.example")
}

func afterTLS(conn net.Conn) (*client, error) {
	c, err := afterHello(conn)
	if err == nil {
		err = c.say(220, "STARTTLS")
	}
	if err != nil {
		return nil, err
	}
	c = newClient(tls.Client(conn, &tls.Config{InsecureSkipVerify: true}))
	return c, c.say(250, "EHLO mail.sender.example")
}

func ownMemory(b *testing.B, pid int) float64 {
	b.Helper()
	all, err := statusOf(pid)
	if err != nil {
		b.Skip("needs /proc: ", err)
	}
	return all["RssAnon"]
}

func startIdleDaemon(b *testing.B) (string, int) {
	b.Helper()
	s := newSite(b, build(b), "")
	text := strings.Replace(s.read("trapline.toml"), "\nconnections_per_ip = 1000\n", roomForIdlers, 1)
	if err := os.WriteFile(s.path("trapline.toml"), []byte(text), 0o644); err != nil {
		b.Fatal(err)
	}
	d := s.serve()
	return d.mail, d.cmd.Process.Pid
}

// startIdleBare starts a server that is go-smtp and nothing else.
func startIdleBare(b *testing.B) (string, int) {
	b.Helper()
	dir := b.TempDir()
	program, certificate := filepath.Join(dir, "bench"), filepath.Join(dir, "pair.pem")
	build := exec.Command("go", "build", "-o", program, "../../internal/bench")
	if out, err := build.CombinedOutput(); err != nil {
		b.Fatalf("build bench: %v\n%s", err, out)
	}
	if err := os.WriteFile(certificate, newPair(b), 0o600); err != nil {
		b.Fatal(err)
	}
	address := fmt.Sprintf("127.0.0.1:%d", testpeer.Port(b))
	p := testpeer.Start(b, program, "serve-bare", address, certificate)
	testpeer.Eventually(b, patience, "go-smtp", func() bool { return !closed(address) })
	return address, p.PID()
}

func startIdleSink(b *testing.B) (string, int) {
	b.Helper()
	address := fmt.Sprintf("127.0.0.1:%d", testpeer.Port(b))
	p := testpeer.Start(b, testpeer.Need(b, "smtp-sink", "postfix"), append(testpeer.Unprivileged(b),
		"-m", fmt.Sprint(*idlers+10), address, "1000")...)
	testpeer.Eventually(b, patience, "smtp-sink", func() bool { return !closed(address) })
	return address, p.PID()
}

// newPair is a certificate that nobody believes, and its key.
func newPair(b *testing.B) []byte {
	b.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		b.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		b.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		b.Fatal(err)
	}
	return append(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}),
		pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret})...)
}
