package main

import (
	"context"
	"fmt"
	"io"
	"maps"
	"net/netip"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/trapline/trapline/criteria"
	"github.com/trapline/trapline/internal/admin"
	"github.com/trapline/trapline/internal/config"
	"github.com/trapline/trapline/internal/feed"
)

type reputationCmd struct {
	Import reputationImportCmd `cmd:"" help:"Points from a list, a query log or a mail log."`
	Show   reputationShowCmd   `cmd:"" help:"The points of an address, or what was imported."`
}

type reputationImportCmd struct {
	jsonFlag
	Source string `required:"" placeholder:"NAME" help:"Who counted; the counts of several names add up."`
	Format string `enum:"auto,list,rbldnsd,postfix" default:"auto" help:"One of ${enum}."`
	Reason string `placeholder:"R" help:"Kept in the ledger; else the name of the file."`
	File   string `arg:"" help:"The list or log; - for standard input."`
}

// Help is shown by reputation import --help.
func (reputationImportCmd) Help() string {
	return `Example: trapline reputation import --source ns1 /var/log/rbldnsd/queries.log

A list has ADDRESS COUNT [DATE] a line; an rbldnsd log is what its -l writes.
Of a query log a point is a client of reputation.clients that asked for an
address in an hour; of a mail log a message. The count of a name, a day and an
address is replaced, so importing again is harmless. Give each server's log a
name of its own: under the same name the later count replaces the earlier.`
}

// Run has the daemon take points.
func (c *reputationImportCmd) Run(a *app) error {
	if err := admin.CheckSource(c.Source); err != nil {
		return usage("%w", err)
	}
	conf, err := a.load()
	if err != nil {
		return err
	}
	return a.tell(func(client *admin.Client) error {
		policy, err := client.Policy() // also tells whether it is worth reading
		if err != nil {
			return err
		}
		counts, stats, err := c.read(a, conf)
		if err != nil {
			return err
		}
		points, line := pointsOf(counts, policy.Criteria.MaxAge, a.now())
		line.Read, line.Counted = stats, admin.Counted{Name: c.Source, Changes: []admin.Change{}}
		if len(points) > 0 {
			line.Counted, err = client.Count(context.Background(), c.Source, c.reason(), points)
		}
		switch {
		case err != nil:
			return err
		case c.JSON:
			return a.printJSON(line)
		}
		a.printCounted(line)
		return nil
	})
}

func (c *reputationImportCmd) reason() string {
	switch {
	case c.Reason != "":
		return c.Reason
	case c.File == "-":
		return "from standard input"
	}
	return "from " + printable(filepath.Base(c.File))
}

func (c *reputationImportCmd) read(a *app, conf *config.Config) ([]feed.Count, *feed.Stats, error) {
	o := feed.PointOptions{Path: c.File, Now: a.now(), Clients: conf.Reputation.Clients,
		Origin: conf.Zone.Origin, Format: map[string]feed.Format{"list": feed.List,
			"rbldnsd": feed.QueryLog, "postfix": feed.MailLog}[c.Format]}
	in, err := a.open(c.File, "the log")
	if err != nil {
		return nil, nil, err
	}
	defer func() { _ = in.Close() }() // only read
	counts, stats, err := feed.Points(in, o)
	if err != nil {
		return nil, nil, usage("%w", err)
	}
	return counts, stats, nil
}

// countedLine is what --json prints.
type countedLine struct {
	admin.Counted
	Read      *feed.Stats `json:"read"`
	Addresses int         `json:"addresses"`
	Days      int         `json:"days"`
	Sum       int64       `json:"sum"`     // of all counts
	TooOld    int         `json:"too_old"` // days of addresses that could not count any more
}

// pointsOf leaves out what is too old to count: it would only fill the ledger.
func pointsOf(counts []feed.Count, maxAge time.Duration, now time.Time) (
	points []criteria.Point, line countedLine) {
	addresses, days := map[netip.Addr]bool{}, map[criteria.Day]bool{}
	for _, c := range counts {
		day := criteria.DayOf(max(c.Day, 0))
		if day.End().Time().Add(maxAge).Before(now) || c.Day < 0 {
			line.TooOld++
			continue
		}
		const most = 1<<32 - 1 // far above any cap
		points = append(points, criteria.Point{Day: day, Addr: c.Address,
			Count: uint32(min(c.Points, most))})
		addresses[c.Address], days[day] = true, true
		line.Sum += c.Points
	}
	line.Addresses, line.Days = len(addresses), len(days)
	return points, line
}

func (a *app) printCounted(l countedLine) {
	fmt.Fprintf(a.stdout, "read %s\n", l.Read)
	fmt.Fprintf(a.stdout, "points of %s: %d; addresses: %d, days: %d\n", printable(l.Name), l.Sum,
		l.Addresses, l.Days)
	if l.TooOld > 0 {
		fmt.Fprintf(a.stdout, "left out, older than max_age: %s\n", number(l.TooOld, "count"))
	}
	switch {
	case l.Last == 0:
		fmt.Fprintln(a.stdout, "nothing is decided")
	case l.First == l.Last:
		fmt.Fprintf(a.stdout, "%s\ndecision %d, by %s\n", changesText(l.Changes), l.Last, l.Who)
	default:
		fmt.Fprintf(a.stdout, "%s\ndecisions %d to %d, by %s\n", changesText(l.Changes), l.First, l.Last,
			l.Who)
	}
}

type reputationShowCmd struct {
	jsonFlag
	IP string `arg:"" optional:"" help:"The address; without one, the last imports."`
}

// Help is shown by reputation show --help.
func (reputationShowCmd) Help() string { return "Example: trapline reputation show 198.51.100.7" }

// Run prints points.
func (c *reputationShowCmd) Run(a *app) error {
	if c.IP == "" {
		return a.ask(func(q answers) error {
			s, err := q.Safeguards()
			if err != nil {
				return err
			}
			if len(s.Points) == 0 {
				a.say("no reputation points are imported")
			}
			return printAll(a, c.JSON, each(s.Points), printImport)
		})
	}
	addr, err := addressOf(c.IP)
	if err != nil {
		return err
	}
	return a.ask(func(q answers) error {
		r, err := q.Reputation(addr)
		switch {
		case err != nil:
			return err
		case c.JSON:
			return a.printJSON(r)
		}
		return a.printReputation(r)
	})
}

func printImport(w io.Writer, p admin.PointsImport) {
	fmt.Fprintf(w, "%s\tlast at %s\tdecision %d\tby %s\t%s\n", printable(p.Name), p.At, p.Seq, p.Who,
		printable(p.Reason))
}

func (a *app) printReputation(r admin.Reputation) error {
	fmt.Fprintf(a.stdout, "%s  %s: a listing takes a score of %s x %d = %s; the score is %s\n",
		r.Source, number(int(r.Points), "point"), r.Ratio, r.Points, r.Need, r.Score)
	if len(r.Days) == 0 {
		return nil
	}
	return a.table(func(w io.Writer) {
		fmt.Fprintln(w, "\n  day\tpoints\tcounted\tup to\tless reports\tuntil")
		for _, d := range r.Days {
			fmt.Fprintf(w, "  %s\t%d\t%s\t%d\t%d\t%s\n", d.Day, d.Points, countsText(d.Counts), r.Cap,
				d.Reports, d.Until)
		}
	})
}

func countsText(counts map[string]int64) string {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(counts)) {
		parts = append(parts, fmt.Sprintf("%s %d", printable(name), counts[name]))
	}
	return strings.Join(parts, ", ")
}
