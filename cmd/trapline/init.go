package main

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/trapline/trapline/internal/config"
	"github.com/trapline/trapline/internal/signpost"
)

type initCmd struct {
	jsonFlag
	Domain   string `placeholder:"D" help:"Your trap domain: every mail to it is a hit."`
	Hostname string `placeholder:"NAME" help:"What this machine calls itself; else mx.D."`
	Listen   string `placeholder:"ADDRESS" help:"Where mail comes in, as :25; else :2525."`
	Kind     string `placeholder:"KIND" enum:",pristine,recycled,typo" default:"" help:"What the domain was: pristine (never in use), recycled (rests for a year first) or typo."`
	DataDir  string `placeholder:"DIR" help:"Where hits and the zone are kept; else ./data."`
	Contact  string `placeholder:"NAME" help:"Who keeps the zone, with a dot for the @; else hostmaster.NAME."`
	BaseURL  string `name:"base-url" placeholder:"URL" help:"Where listed senders can read why; it goes into the zone's text."`
	Yes      bool   `help:"Ask nothing: what no flag says is as above."`
	DNS      bool   `name:"dns" default:"true" negatable:"" help:"Look whether the DNS leads mail here."`
}

// Help is shown by init --help.
func (initCmd) Help() string {
	return `Example: trapline init --domain traps.example --listen :25

In a terminal it asks for what no flag says. It never writes over a file. Then it looks up the names
that it has written, tries whether the port can be had, and says what is to be done next; what this
machine cannot find out is said, and is no failure.`
}

// initLine is what init --json prints.
type initLine struct {
	Config string             `json:"config"`
	DNS    []signpost.Finding `json:"dns"` // null with --no-dns
}

// Run writes a starter configuration where none is.
func (c *initCmd) Run(a *app) error {
	path := a.config
	if path == "" {
		path = "trapline.toml"
	}
	if _, err := os.Lstat(path); err == nil {
		return isThere(path)
	}
	basics := config.Basics{Domain: c.Domain, Hostname: c.Hostname, Listen: c.Listen,
		Kind: config.Kind(c.Kind), Today: a.now(), DataDir: c.DataDir, Contact: c.Contact,
		BaseURL: c.BaseURL}
	if isPackaged(path) {
		basics = basics.Packaged()
	}
	if a.dialogue && !c.Yes && !c.JSON {
		if err := a.interview(&basics); err != nil {
			return err
		}
	}
	text, err := config.Starter(basics)
	if err != nil {
		return usage("%w", err)
	}
	if err := writeNew(path, text); err != nil {
		return err
	}
	conf, err := loadFile(path)
	if err != nil {
		return err
	}
	line := initLine{Config: path}
	if c.DNS {
		line.DNS = a.findings(conf)
	}
	if c.JSON {
		return a.printJSON(line)
	}
	a.printInit(conf, line.DNS)
	return nil
}

// isPackaged tells whether a configuration is that of the Debian package's daemon.
func isPackaged(path string) bool {
	whole, err := filepath.Abs(path)
	return err == nil && filepath.Dir(whole) == config.PackageDir
}

func isThere(path string) error {
	return fmt.Errorf("%s is there already: it is never overwritten, choose another with --config", path)
}

// writeNew writes a file that was not there; half a file does not stay.
func writeNew(path string, text []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o640)
	if errors.Is(err, fs.ErrExist) {
		return isThere(path)
	}
	if err != nil {
		return fmt.Errorf("write starter configuration: %w", err)
	}
	_, err = f.Write(text)
	if isPackaged(path) { // its daemon reads it as one of the group, whatever our umask
		err = errors.Join(err, f.Chmod(0o640))
	}
	if err := errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("write starter configuration: %w", errors.Join(err, os.Remove(path)))
	}
	return nil
}

// printInit says what was written and found, and what comes next.
func (a *app) printInit(conf *config.Config, found []signpost.Finding) {
	path := printable(conf.Path)
	serve := "trapline serve --config " + path
	if isPackaged(conf.Path) {
		serve = "systemctl start trapline"
	}
	fmt.Fprintf(a.stdout, "%s is written: mail to %s is trapped\n\n", path, conf.Traps[0].Domain)
	a.printFindings(append(found, portOf(conf.Listen[0])))
	fmt.Fprintf(a.stdout, `
next:
  read the file, and then:   trapline check-config --config %[1]s
  mend what is said above:   trapline check-config --config %[1]s --dns
  take mail:                 %[3]s
  from another machine:      nc -vz %[2]s 25
  and when mail came:        trapline hits --config %[1]s
`, path, conf.Hostname, serve)
}

// portOf tries whether a listener's socket can be had. That the world reaches it, only the world can
// find out.
func portOf(l config.Listen) signpost.Finding {
	f := signpost.Finding{Name: l.Address.String(), Record: "port", State: signpost.Odd}
	if !strings.HasPrefix(l.Address.Network, "tcp") {
		f.State, f.Text = signpost.Unknown, "is opened by others, or for others on this machine"
		return f
	}
	s, err := net.Listen(l.Address.Network, l.Address.Name)
	if err == nil {
		err = s.Close()
	}
	switch _, port, _ := net.SplitHostPort(l.Address.Name); {
	case errors.Is(err, syscall.EACCES):
		f.Text = "may not be opened by this user"
		f.Mend = `have systemd open it (address = "fd:NAME"), or give the program cap_net_bind_service`
	case errors.Is(err, syscall.EADDRINUSE):
		f.Text, f.Mend = "is in use", "stop the mail server that has it, or choose another address"
	case err != nil:
		f.Text, f.Mend = "cannot be opened: "+err.Error(), "choose another address"
	case port != "25":
		f.Text = "is free, but mail from the world comes to port 25"
		f.Mend = `write address = ":25", or lead port 25 here`
	default:
		f.State, f.Text = signpost.Fine, "is free"
	}
	return f
}
