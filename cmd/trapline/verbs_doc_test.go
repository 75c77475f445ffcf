package main

import (
	"bytes"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/alecthomas/kong"
	"github.com/google/go-cmp/cmp"

	"github.com/trapline/trapline/criteria"
	"github.com/trapline/trapline/internal/admin"
	"github.com/trapline/trapline/internal/dispute"
	mail "github.com/trapline/trapline/parser"
	"github.com/trapline/trapline/store"
)

// documentPath is what a reader has of the verbs; -update writes it.
var documentPath = filepath.Join("..", "..", "docs", "verbs.md")

// answer is what a verb prints with --json: one object, or in a list an object a line. Some verbs
// have a second form.
type answer struct {
	of   any
	list bool
	when string // the second form comes
	then any
}

// spoken has the answer of each verb. That it is the one printed, the scripts hold: see
// checkDocumented.
var spoken = map[string]answer{
	"check-config":      {of: checkedConfig{}},
	"init":              {of: initLine{}},
	"reload":            {of: reloadLine{}},
	"trace":             {of: traceLine{}, list: true},
	"ingest":            {of: ingestLine{}, list: true},
	"lookup":            {of: admin.Lookup{}},
	"listings":          {of: admin.Listing{}, list: true},
	"hits":              {of: admin.Hit{}, list: true},
	"export":            {of: admin.Hit{}, list: true},
	"reputation import": {of: countedLine{}},
	"reputation show":   {of: admin.Reputation{}, when: "without an address, an object a line", then: admin.PointsImport{}},
	"trap list":         {of: admin.Trap{}, list: true},
	"trap stats":        {of: admin.TrapStats{}, list: true},
	"trap burn":         {of: admin.Corrected{}},
	"trap unburn":       {of: admin.Corrected{}},
	"trap reweigh":      {of: admin.Corrected{}},
	"trap import":       {of: importedTraps{}},
	"trap export":       {of: exportedTrap{}, list: true},
	"except add":        {of: admin.Effect{}},
	"except rm":         {of: admin.Effect{}, when: "with --source", then: importLine{}},
	"except list":       {of: criteria.Exception{}, list: true},
	"except import":     {of: importLine{}},
	"list":              {of: admin.Effect{}},
	"delist":            {of: admin.Effect{}},
	"dispute list":      {of: dispute.Case{}, list: true},
	"dispute show":      {of: dispute.Case{}},
	"dispute answer":    {of: admin.DisputeDone{}},
	"dispute accept":    {of: admin.DisputeDone{}},
	"dispute reject":    {of: admin.DisputeDone{}},
	"audit":             {of: admin.Decision{}, list: true},
	"criteria show":     {of: admin.Policy{}},
	"criteria score":    {of: criteria.Verdict{}, list: true},
	"criteria simulate": {of: simulated{}, list: true},
	"zone build":        {of: admin.Built{}},
	"zone verify":       {of: verifiedZone{}},
	"zone diff":         {of: admin.ZoneDiff{}},
	"zone generations":  {of: admin.Generation{}, list: true},
	"zone rollback":     {of: admin.EffectOnZone{}},
	"zone retire":       {of: admin.EffectOnZone{}},
	"zone resume":       {of: admin.EffectOnZone{}},
	"check-store":       {of: store.Checked{}, list: true},
	"backup":            {of: store.Manifest{}},
	"restore":           {of: store.Manifest{}},
	"rebuild":           {of: admin.Rebuilt{}},
	"compact":           {of: store.Compacted{}, list: true},
	"inbox list":        {of: admin.Letter{}, list: true},
	"inbox show":        {of: admin.LetterText{}},
	"inbox rm":          {of: admin.Discarded{}},
	"report":            {of: admin.Report{}},
	"stats":             {of: admin.Stats{}},
	"top":               {of: admin.Live{}, list: true},
}

// The forms of answers that have no Go type of their own.
type (
	traceLine struct {
		File    string      `json:"file,omitempty"`
		Source  *netip.Addr `json:"source"` // null: nobody can be vouched for
		Reason  mail.Reason `json:"reason"` // why the walk stopped
		Cause   mail.Cause  `json:"cause"`
		Marks   []string    `json:"marks,omitempty"` // what decided the cause
		Time    time.Time   `json:"time,omitzero"`   // of the topmost Received line, if believed
		Hops    []mail.Hop  `json:"hops"`            // the nearest first
		Ignored int         `json:"ignored"`         // Received lines below the source, never believed
		Claims  []mail.Hop  `json:"claims,omitempty"`
		Defects []string    `json:"defects,omitempty"` // what is wrong with the header's bytes
	}
)

// glossary has the fields that mean the same everywhere, where no comment says more.
var glossary = map[string]string{
	"Act":      "what was decided, as in `audit --act`",
	"Added":    "what comes",
	"Answer":   "what the zone answers, as 127.0.0.2",
	"At":       "when, or as of when",
	"Cause":    "direct, relay, submission, webmail, script, proxy, bounce, autoreply, list or unknown",
	"Causes":   "counted hits by cause",
	"Changes":  "the listings that changed",
	"Criteria": "the keys of `[criteria]`",
	"DryRun":   "nothing was done",
	"File":     "the file's name",
	"First":    "number of the first",
	"ID":       "its number; of a hit, its place in the log",
	"Kind":     "what it is",
	"Last":     "number of the last",
	"Listed":   "whether it is on the list",
	"Name":     "its name",
	"Network":  "in CIDR form",
	"Origin":   "where it is from; of a zone, its name",
	"Port":     "of the peer",
	"Ready":    "false while the log is being read",
	"Reason":   "why",
	"Removed":  "what goes",
	"Score":    "as `lookup` shows it",
	"Seq":      "number of the decision",
	"Since":    "from when on",
	"Size":     "bytes",
	"Source":   "an IPv4 address, or an IPv6 network in CIDR form",
	"State":    "how it stands",
	"Time":     "when it was received",
	"Until":    "up to when",
	"Who":      "who decided: a user at the socket, or config",
	"Why":      "the same in words",
	"Zone":     "the zone's name",
}

// TestVerbsDocument: docs/verbs.md is what the program is.
func TestVerbsDocument(t *testing.T) {
	d := document{t: t, comments: map[string]map[string]string{}, told: map[reflect.Type]string{}}
	want := d.write(model(t).Model)
	if *update {
		if err := os.WriteFile(documentPath, want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(documentPath)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(string(got), "\n")); diff != "" {
		t.Errorf("docs/verbs.md (go test ./cmd/trapline -run TestVerbsDocument -update):\n%s", diff)
	}
}

// document writes docs/verbs.md.
type document struct {
	t        *testing.T
	out      bytes.Buffer
	comments map[string]map[string]string // of the fields of a type, by its package and name
	told     map[reflect.Type]string      // the verb at which a type stands
}

const documentHead = `# Verbs

What each verb takes and prints, made from the program itself: ` + "`go test ./cmd/trapline -run" + `
TestVerbsDocument -update` + "`" + ` writes this page, and the scripts of the tests compare what verbs print with it.

Flags stand anywhere after the verb, and ` + "`--config FILE`" + ` goes with each. What is asked for is on standard output, all
else on standard error. Lists with ` + "`--json`" + ` have an object a line; times are RFC 3339 in UTC, durations are seconds. Fields may be
added to an object; those that are here stay.

| exit code | |
|---|---|
`

func (d *document) write(app *kong.Application) []byte {
	d.out.WriteString(documentHead)
	for _, e := range ends {
		fmt.Fprintf(&d.out, "| %d | %s |\n", e.code, e.text)
	}
	for _, verb := range app.Leaves(true) {
		d.verb(verb)
	}
	return d.out.Bytes()
}

func (d *document) verb(verb *kong.Node) {
	examples, rest := examplesOf(verb)
	fmt.Fprintf(&d.out, "\n## trapline %s\n\n%s\n\n", verb.Path(), verb.Help)
	fmt.Fprintf(&d.out, "    trapline %s\n\n", strings.TrimSpace(synopsisOf(verb)))
	if rest != "" {
		fmt.Fprintf(&d.out, "%s\n\n", rest)
	}
	rows := [][2]string{}
	for _, v := range verb.Positional {
		rows = append(rows, [2]string{"<" + v.Name + ">", v.Help})
	}
	for _, flag := range shown(verb.Flags) {
		rows = append(rows, [2]string{flag.Summary(), flag.Help})
	}
	if len(rows) > 0 {
		d.out.WriteString("| | |\n|---|---|\n")
	}
	for _, row := range rows {
		fmt.Fprintf(&d.out, "| `%s` | %s |\n", inTable(row[0]), inTable(row[1]))
	}
	d.out.WriteString("\nExample:\n\n")
	for _, example := range examples {
		fmt.Fprintf(&d.out, "    %s\n", strings.Join(continued(example, 100), "\n    "))
	}
	d.answer(verb)
}

func inTable(text string) string { return strings.ReplaceAll(text, "|", `\|`) }

// synopsisOf is the verb with all that may follow it.
func synopsisOf(verb *kong.Node) string {
	words := []string{verb.Path()}
	for _, flag := range shown(verb.Flags) {
		if word := flag.Summary(); flag.Required {
			words = append(words, word)
		} else {
			words = append(words, "["+word+"]")
		}
	}
	for _, v := range verb.Positional {
		words = append(words, v.Summary())
	}
	return strings.Join(words, " ")
}

// answer is the table of what --json prints.
func (d *document) answer(verb *kong.Node) {
	answer, known := spoken[verb.Path()]
	if has := hasJSON(verb); has != known {
		d.t.Errorf("%s: has --json: %t, and what it prints is known: %t", verb.Path(), has, known)
	}
	if !known {
		return
	}
	form := "one object"
	if answer.list {
		form = "an object a line"
	}
	d.table("With `--json`, "+form, answer.of, verb.Path())
	if answer.when != "" {
		d.table("And "+answer.when, answer.then, "")
	}
}

// table writes what an object has, or the verb at which it stands already.
func (d *document) table(lead string, of any, verb string) {
	t := reflect.TypeOf(of)
	if first, has := d.told[t]; has {
		fmt.Fprintf(&d.out, "\n%s, as of `trapline %s`.\n", lead, first)
		return
	}
	if verb != "" {
		d.told[t] = verb
	}
	fmt.Fprintf(&d.out, "\n%s:\n\n| field | type | |\n|---|---|---|\n", lead)
	d.fields("", t, 0)
}

func hasJSON(verb *kong.Node) bool {
	for _, flag := range verb.Flags {
		if flag.Name == "json" {
			return true
		}
	}
	return false
}

// fields writes a row for each field of a struct, and below it those of the struct within.
func (d *document) fields(path string, of reflect.Type, depth int) {
	for i := range of.NumField() {
		f := of.Field(i)
		tag, has := f.Tag.Lookup("json")
		name, options, _ := strings.Cut(tag, ",")
		switch {
		case f.Anonymous && !has:
			d.fields(path, pointed(f.Type), depth)
			continue
		case name == "-" || !f.IsExported():
			continue
		}
		kind, within := kindOf(f.Type)
		comment := d.comment(of, f.Name)
		kind = orNull(kind, strings.Contains(comment, "null"))
		if strings.Contains(options, "omit") {
			kind += ", or missing"
		}
		fmt.Fprintf(&d.out, "| `%s%s` | %s | %s |\n", path, name, kind, inTable(comment))
		if within != nil && depth < 3 {
			d.fields(path+name+strings.Repeat("[]", strings.Count(kind, "list of"))+".", within, depth+1)
		}
	}
}
