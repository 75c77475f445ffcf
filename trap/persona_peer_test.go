package trap

import (
	"crypto/x509"
	"encoding/pem"
	"flag"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/trapline/trapline/internal/testpeer"
)

// TestPostfix: what a prober hears is what Postfix says, word for word, but for the list in
// docs/persona.md.
func TestPostfix(t *testing.T) {
	address := startPostfix(t)
	compare(t, Postfix, func(s scene, secure bool) []exchange { return s.play(t, address, secure) })
}

// startPostfix runs the one of the system, with a configuration of its own.
func startPostfix(t *testing.T) string {
	t.Helper()
	unshare := testpeer.Need(t, "unshare", "util-linux")
	testpeer.Need(t, "postfix", "postfix")
	if os.Geteuid() != 0 {
		t.Skip("needs root: Postfix starts as nobody else")
	}
	apart := []string{"--mount", "--pid", "--fork", "--kill-child", "--mount-proc"}
	if out, err := exec.Command(unshare, append(apart, "true")...).CombinedOutput(); err != nil {
		t.Skipf("needs leave to make namespaces: %v: %s", err, out)
	}
	version, err := exec.Command("postconf", "-h", "mail_version").Output()
	if err != nil || !strings.HasPrefix(string(version), "3.7.") {
		t.Skipf("docs/persona.md is about Postfix 3.7, this is %s (%v)", version, err)
	}
	dir, port := testpeer.OpenFolder(t), testpeer.Port(t)
	writeCertificate(t, dir)
	testpeer.Start(t, unshare, append(apart, "sh", "testdata/persona/postfix.sh", dir,
		fmt.Sprint(port))...)
	address := fmt.Sprintf("127.0.0.1:%d", port)
	testpeer.Eventually(t, time.Minute, "Postfix", func() bool {
		conn, err := net.Dial("tcp", address)
		if err == nil {
			_ = conn.Close()
		}
		return err == nil
	})
	return address
}

// writeCertificate writes the test's certificate and key as cert.pem and key.pem.
func writeCertificate(t *testing.T, dir string) {
	t.Helper()
	certificate, err := testCertificate()
	if err != nil {
		t.Fatal(err)
	}
	key, err := x509.MarshalPKCS8PrivateKey(certificate.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	for name, block := range map[string]*pem.Block{
		"cert.pem": {Type: "CERTIFICATE", Bytes: certificate.Certificate[0]},
		"key.pem":  {Type: "PRIVATE KEY", Bytes: key},
	} {
		text := pem.EncodeToMemory(block)
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// exim is a program to ask anew what it says; see testdata/persona/exim.sh.
var exim = flag.String("exim", "", "with -update: the Exim whose dialogue is written down anew")

// TestExim compares with what an Exim said when it was asked: Debian cannot have it beside Postfix.
func TestExim(t *testing.T) {
	const path = "testdata/persona/exim.txt"
	if *exim != "" && *update {
		record(t, path, superserver(t, *exim, "-bs"))
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	compare(t, Exim, func(s scene, secure bool) []exchange {
		_, part, found := strings.Cut(string(text), "\n"+s.title(secure))
		if !found {
			t.Fatalf("%s has no scene %q", path, s.title(secure))
		}
		part, _, _ = strings.Cut(part, "\n==")
		return exchangesOf(part)
	})
}

// title heads a scene in a record.
func (s scene) title(secure bool) string {
	if secure {
		return "== " + s.name + ", within TLS\n"
	}
	return "== " + s.name + "\n"
}

// record writes down what the server at address says in all scenes.
func record(t *testing.T, path, address string) {
	t.Helper()
	text := "# What Exim 4.96 of Debian 12 said; exim.sh made this file.\n"
	for _, secure := range []bool{false, true} {
		for _, s := range scenes(t) {
			text += "\n" + s.title(secure)
			for _, x := range s.play(t, address, secure) {
				text += "> " + x.sent + "\n< " + x.heard + "\n"
			}
		}
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// exchangesOf reads a scene of a record.
func exchangesOf(part string) []exchange {
	var heard []exchange
	for line := range strings.Lines(part) {
		line = strings.TrimSuffix(line, "\n")
		switch {
		case strings.HasPrefix(line, "> "):
			heard = append(heard, exchange{sent: line[2:]})
		case strings.HasPrefix(line, "< "):
			heard[len(heard)-1].heard = line[2:]
		}
	}
	return heard
}

// superserver starts a program for each connection, whose ends it gets as input and output.
func superserver(t *testing.T, program string, args ...string) string {
	t.Helper()
	l := listen(t)
	var running sync.WaitGroup
	t.Cleanup(func() {
		_ = l.Close()
		running.Wait()
	})
	running.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			running.Go(func() { attend(conn, program, args) })
		}
	})
	return l.Addr().String()
}

// attend runs the program of one connection, whose own end of it is the only one then.
func attend(conn net.Conn, program string, args []string) {
	file, err := conn.(*net.TCPConn).File()
	_ = conn.Close()
	if err != nil {
		return
	}
	cmd := exec.Command(program, args...)
	cmd.Stdin, cmd.Stdout = file, file
	err = cmd.Start()
	_ = file.Close() // the program has its own
	if err != nil {
		return
	}
	_ = cmd.Wait() // how it ended is seen by its peer
}
