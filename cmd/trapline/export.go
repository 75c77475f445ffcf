package main

import (
	"bufio"
	"encoding/csv"
	"fmt"
	"io"
	"iter"
	"net/netip"
	"strconv"
	"strings"

	"github.com/trapline/trapline/internal/admin"
)

type exportCmd struct {
	jsonFlag
	Format    string `enum:"jsonl,csv" default:"jsonl" help:"jsonl, an object a line as hits --json prints it, or csv (RFC 4180)."`
	From      string `placeholder:"TIME" help:"Only hits received at or after it."`
	To        string `placeholder:"TIME" help:"Only hits received before it."`
	CIDR      string `name:"cidr" placeholder:"NETWORK" help:"Only those whose source lies in it."`
	ShowTraps bool   `help:"Write trap addresses instead of their keyed hashes."`
	Output    string `short:"o" placeholder:"FILE" help:"Write to a file instead of stdout, for its owner alone."`
}

// Help is shown by export --help.
func (exportCmd) Help() string {
	return `Example: trapline export --format csv --from 2026-11-01 --to 2026-12-01 -o november.csv

Writes the hits in the order of the log, oldest first, as they are read: what is kept in
memory does not grow with them. What a sender wrote is redacted as in hits. In CSV it also
has an apostrophe where a spreadsheet would take it for a formula.`
}

// Run writes all hits of a span.
func (c *exportCmd) Run(a *app) error {
	f := admin.HitFilter{OldestFirst: true, ShowTraps: c.ShowTraps}
	var err error
	if f.Since, err = a.secondOf("from", c.From); err != nil {
		return err
	}
	if f.Until, err = a.secondOf("to", c.To); err != nil {
		return err
	}
	if f.Until > 0 && f.Until <= f.Since {
		return usage("--to %s is not after --from %s: give a later one", f.Until, f.Since)
	}
	if f.CIDR, err = networkOf("cidr", c.CIDR); err != nil {
		return err
	}
	if c.JSON && c.Format == "csv" {
		return usage("both --json and --format csv: give one")
	}
	return a.ask(func(q answers) error {
		stats, err := q.Stats()
		if err != nil {
			return err
		}
		hits, meter := q.Hits(f), a.meter()
		if c.Output != "" || a.screen.columns == 0 { // else the hits are to be seen
			hits = metered(hits, stats.Records, meter)
		}
		err = a.writeTo(c.Output, func(w io.Writer) error { return c.write(w, hits) })
		meter.clear()
		return err
	})
}

// metered shows how far hits have come on their way to the newest one.
func metered(hits iter.Seq2[admin.Hit, error], last uint64, m *meter) iter.Seq2[admin.Hit, error] {
	return func(yield func(admin.Hit, error) bool) {
		first := uint64(0)
		for h, err := range hits {
			if first == 0 {
				first = h.ID
			}
			m.show(h.ID-first, max(last, h.ID)-first)
			if !yield(h, err) {
				return
			}
		}
	}
}

func (c *exportCmd) write(w io.Writer, hits iter.Seq2[admin.Hit, error]) error {
	out := bufio.NewWriter(w)
	write := csvOf(out)
	if c.Format != "csv" {
		encode := jsonTo(out)
		write = func(h *admin.Hit) error { return encode.Encode(h) }
	}
	for hit, err := range hits {
		if err != nil {
			return err
		}
		if err := write(&hit); err != nil {
			return fmt.Errorf("write hits: %w", err)
		}
	}
	return out.Flush()
}

// hitColumns are the fields of a hit, as its JSON calls them.
var hitColumns = []string{"id", "time", "source", "reason", "peer", "port", "helo", "mail_from", "kind",
	"traps", "cause", "tls", "size", "digest"}

// csvOf writes a head and then hits, a line each.
func csvOf(w io.Writer) func(*admin.Hit) error {
	out := csv.NewWriter(w)
	out.UseCRLF = true // RFC 4180 section 2
	head := hitColumns
	return func(h *admin.Hit) error {
		if head != nil {
			_ = out.Write(head) // Error below tells
			head = nil
		}
		_ = out.Write([]string{strconv.FormatUint(h.ID, 10), h.Time.String(), addressCell(h.Source),
			h.Reason, addressCell(h.Peer), strconv.Itoa(int(h.Port)), inert(h.Helo), inert(h.MailFrom),
			h.Kind, inert(strings.Join(h.Traps, " ")), h.Cause.String(), h.TLS,
			strconv.FormatInt(h.Size, 10), h.Digest})
		out.Flush()
		return out.Error()
	}
}

func addressCell(a *netip.Addr) string {
	if a == nil {
		return ""
	}
	return a.String()
}

// inert is a stranger's text that no spreadsheet takes for a formula: an apostrophe stands before
// each sign that may begin one, at the begin and behind all that some spreadsheet takes for the end
// of a field. What is not printable is escaped.
func inert(s string) string {
	s = printable(s)
	var b strings.Builder
	last := ';'
	for _, r := range s {
		if strings.ContainsRune(formulaSigns, r) && strings.ContainsRune(fieldEnds, last) {
			b.WriteByte('\'')
		}
		b.WriteRune(r)
		last = r
	}
	return b.String()
}

// Signs that begin a formula, also in their wide forms, and signs that end a field.
const (
	formulaSigns = "=+-@＝＋－＠"
	fieldEnds    = " ;,|\"'"
)
