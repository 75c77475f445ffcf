package main

import (
	"fmt"

	"github.com/trapline/trapline/internal/admin"
	"github.com/trapline/trapline/internal/config"
	"github.com/trapline/trapline/internal/signpost"
)

type checkConfigCmd struct {
	jsonFlag
	Diff bool `help:"Say what a reload would change, down to listings. Exit 3 when it would change anything."`
	DNS  bool `name:"dns" help:"Look whether the DNS leads the mail of the traps here. Exit 3 when it does not."`
}

// Help is shown by check-config --help.
func (checkConfigCmd) Help() string {
	return `Example: trapline check-config --config /etc/trapline/trapline.toml --dns

With --dns it looks up our own names and addresses, the mail exchangers of the domains of traps and
reporters, the names of relays, and who is asked for the zone. A warning may be meant, and what nobody
could be asked about is no fault: exit 3 is for mail that is known to go to others.

With --diff a line is a table or a key of the configuration that would come (+), go (-) or be another (~),
compared with what the daemon has in force, and likewise a listing. With the daemon down it is compared
with the ledger: that has the policy and the exceptions, and of the rest only which parts are others.`
}

// checkedConfig is what check-config --json prints.
type checkedConfig struct {
	Config    string             `json:"config"`
	OK        bool               `json:"ok"` // always: what is wrong is told on stderr, with exit 2
	Listeners int                `json:"listeners"`
	Traps     int                `json:"traps"`
	Reporters int                `json:"reporters"`
	Zone      string             `json:"zone"`     // its name
	Warnings  []string           `json:"warnings"` // what a sound configuration lacks
	DNS       []signpost.Finding `json:"dns"`      // null without --dns
	Diff      *admin.Preview     `json:"diff"`     // null without --diff
}

// Run says whether the daemon would start with the configuration.
func (c *checkConfigCmd) Run(a *app) error {
	conf, err := a.load()
	if err != nil {
		return err
	}
	line := checkedConfig{conf.Path, true, len(conf.Listen), len(conf.Traps), len(conf.Reporters),
		conf.Zone.Origin, a.warnings(conf), nil, nil}
	if c.Diff {
		p, err := a.preview(conf)
		if err != nil {
			return err
		}
		line.Diff = &p
	}
	if c.DNS {
		line.DNS = a.findings(conf)
	}
	if err := c.print(a, conf, line); err != nil {
		return err
	}
	if isAstray(line.DNS) || line.Diff != nil && !line.Diff.Empty() {
		return errNo
	}
	return nil
}

func (c *checkConfigCmd) print(a *app, conf *config.Config, line checkedConfig) error {
	if c.JSON {
		return a.printJSON(line)
	}
	for _, w := range line.Warnings {
		a.say("warning: " + w)
	}
	fmt.Fprintf(a.stdout, "%s is fine: %s, %s, %s, zone %s\n", conf.Path,
		number(line.Listeners, "listener"), number(line.Traps, "trap"),
		number(line.Reporters, "reporter"), line.Zone)
	a.printFindings(line.DNS)
	if line.Diff != nil {
		return a.printPreview(*line.Diff)
	}
	return nil
}
