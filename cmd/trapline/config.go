package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/trapline/trapline/internal/admin"
	"github.com/trapline/trapline/internal/config"
)

func getenv(name string) string { return os.Getenv(name) }

type checkConfigCmd struct {
	jsonFlag
}

// Help is shown by check-config --help.
func (checkConfigCmd) Help() string {
	return "Example: trapline check-config --config /etc/trapline/trapline.toml"
}

// Run says whether the daemon would start with the configuration.
func (c *checkConfigCmd) Run(a *app) error {
	conf, err := a.load()
	if err != nil {
		return err
	}
	warnings := a.warnings(conf)
	if c.JSON {
		return a.printJSON(map[string]any{"config": conf.Path, "ok": true, "listeners": len(conf.Listen),
			"traps": len(conf.Traps), "reporters": len(conf.Reporters), "warnings": warnings})
	}
	for _, w := range warnings {
		a.say("warning: " + w)
	}
	fmt.Fprintf(a.stdout, "%s is fine: %s, %s, %s, zone %s\n", conf.Path,
		number(len(conf.Listen), "listener"), number(len(conf.Traps), "trap"),
		number(len(conf.Reporters), "reporter"), conf.Zone.Origin)
	return nil
}

type initCmd struct {
	jsonFlag
	Domain string `placeholder:"D" help:"Your trap domain."`
}

// Help is shown by init --help.
func (initCmd) Help() string { return "Example: trapline init --domain traps.example" }

// Run writes a starter configuration where none is.
func (c *initCmd) Run(a *app) error {
	path := a.config
	if path == "" {
		path = "trapline.toml"
	}
	text, err := config.Starter(c.Domain)
	if err != nil {
		return usage("--domain: %w", err)
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o640)
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%s is there already: it is never overwritten, choose another with --config", path)
	}
	if err != nil {
		return fmt.Errorf("write starter configuration: %w", err)
	}
	_, err = f.Write(text)
	if err := errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("write starter configuration: %w", err)
	}
	if c.JSON {
		return a.printJSON(map[string]any{"config": path})
	}
	fmt.Fprintf(a.stdout, "%s is written: read it, then trapline check-config --config %s\n", path, path)
	return nil
}

type reloadCmd struct {
	jsonFlag
}

// Help is shown by reload --help.
func (reloadCmd) Help() string { return "Example: trapline reload" }

// Run has the daemon read its configuration anew and waits for the result.
func (c *reloadCmd) Run(a *app) error {
	return a.tell(func(client *admin.Client) error {
		done, err := client.Reload(context.Background())
		switch {
		case err != nil:
			return err
		case c.JSON:
			return a.printJSON(reloadLine{true, done})
		}
		fmt.Fprintln(a.stdout, settledText(done))
		return nil
	})
}

// reloadLine is what reload --json prints.
type reloadLine struct {
	Reloaded bool `json:"reloaded"`
	admin.Settled
}

func settledText(s admin.Settled) string {
	switch {
	case s.Reading && s.Decisions > 0:
		return "reloaded; the log is still being read, and the list follows then"
	case s.Reading || s.Decisions == 0:
		return "reloaded; policy and exceptions are as before"
	case s.Another:
		return fmt.Sprintf("reloaded; policy %d is in force: %s", s.Policy, settledChanges(s))
	}
	return fmt.Sprintf("reloaded; %s", settledChanges(s))
}

// settledChanges says which listings changed, or, where the answer does not have
// them all, how many.
func settledChanges(s admin.Settled) string {
	if len(s.Changes) == s.Begun+s.Ended+s.Changed {
		return changesText(s.Changes)
	}
	return fmt.Sprintf("%d listings begin, %d end, %d change", s.Begun, s.Ended, s.Changed)
}
