package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/netip"
	"os"
	"slices"
	"time"

	"github.com/trapline/trapline/criteria"
)

// maxFile bounds what is read as a configuration. Ten thousand traps take less than half of it.
const maxFile = 1 << 20

// Config is a configuration that was checked: every value has its default filled in and keeps the
// rules. Nothing changes it after Parse; whoever reads it shares it.
type Config struct {
	Path     string // the file it came from, as given
	Hostname string // greeting name; like all names here a lower-case DNS name in ASCII, no final dot
	DataDir  string // as written, so relative to the working directory
	Persona  string // "postfix", "exim" or "plain": whose words a session uses

	TrapFiles []string // patterns of more files with [[trap]] tables, relative to the folder of Path

	Log        Log
	Listen     []Listen // one at least
	Limits     Limits
	Traps      []Trap // one at least: those of the file, then those of each of TrapFiles
	Reporters  []Reporter
	Trust      Trust
	Policy     criteria.Policy
	Except     []Except
	Reputation Reputation
	Zone       Zone
	Web        Web
	Ops        Ops
	Admin      Admin
	Retention  Retention
}

// Log says how we log.
type Log struct {
	Level  string // "debug", "info", "warn" or "error"
	Format string // "json" or "console"
}

// TLSMode says where a listener has its certificate from.
type TLSMode string

// The modes of TLS.
const (
	TLSOff  TLSMode = "off"
	TLSAuto TLSMode = "auto" // a self-signed certificate of our own
	TLSFile TLSMode = "file" // CertFile and KeyFile
)

// Listen is one [[listen]].
type Listen struct {
	Address   Address
	LMTP      bool   // LMTP (RFC 2033), never on port 25; else SMTP
	Hostname  string // greeting and certificate name, Config.Hostname unless overridden
	Persona   string // Config.Persona unless overridden
	TLS       TLSMode
	CertFile  string // for TLSFile: PEM files, a pair when they were checked
	KeyFile   string
	ProxyFrom []netip.Prefix // peers that must send a PROXY header
}

// Limits is [limits]: what one peer and all together can take from us.
type Limits struct {
	Connections           int // at once
	ConnectionsPerIP      int // at once, of the declared client behind a proxy; IPv6: of its /64
	ConnectionsPerNetwork int // at once, of its /24 or /48

	ConnectionsPerMinute           int // new ones, of an address or /64
	ConnectionsPerMinutePerNetwork int // new ones, of a /24 or /48
	MessagesPerMinute              int // begun by an address or /64

	MessageBytes   int64
	SessionBytes   int64         // read in one session, whatever they are
	Recipients     int           // of one message
	SessionTimeout time.Duration // absolute
	CommandTimeout time.Duration // for one command
	DataTimeout    time.Duration // for the content of one message
	MemoryBytes    int64         // of message data in flight
	FreeBytes      int64         // of disk; 0 never stops the mail
}

// Kind is what a trap address used to be.
type Kind string

// The kinds of traps.
const (
	Pristine Kind = "pristine" // never was anybody's
	Recycled Kind = "recycled" // once was somebody's, given up long ago
	Typo     Kind = "typo"     // resembles somebody's
)

// State is what a trap does with mail.
type State string

// The states of a trap.
const (
	Active   State = "active"   // takes and counts it
	Resting  State = "resting"  // refuses it, 550
	Watching State = "watching" // records it; it counts 0
)

// Trap is one [[trap]]. It has an Address or a Domain.
type Trap struct {
	Address    string // normalised: lower case, quoted only where it must be
	Domain     string // "traps.example" for itself, "*.traps.example" for what is below it
	Kind       Kind
	Weight     criteria.Micro
	State      State
	ActiveFrom time.Time // UTC; before it the trap rests. Zero: no such day
}

// Reporter is one [[reporter]].
type Reporter struct {
	Name    string         // unlike all others
	Address string         // secret; normalised as a trap's
	Peers   []netip.Prefix // where submissions come from, one at least
	Hosts   []string       // by whom a reported message was received, one at least
	Relays  []netip.Prefix // walked past in a reported message
}

// Trust is [trust]: whose Received lines are believed.
type Trust struct {
	Relays          []Relay
	Hosts           []string // lower case; of mail without a peer, line 0 must be by one of them
	Loopback        bool     // loopback hops on trusted hosts are walked
	LocalSubmission bool     // and lines with a user id instead of a peer
}

// Relay is one [[trust.relay]].
type Relay struct {
	Network netip.Prefix
	By      []string // lower case; what it calls itself, one at least
}

// Except is one [[except]]: a network that is never listed.
type Except struct {
	Network netip.Prefix
	Reason  string
}

// Reputation is [reputation]: whose queries are points, and how many count.
type Reputation struct {
	Clients []netip.Prefix
	Cap     int64 // points per address and day
}

// Zone is [zone]: what is published, and how carefully.
type Zone struct {
	Dir            string // resolved against DataDir
	Origin         string
	NS             []string      // one at least
	Contact        string        // a name with a dot for the @, RFC 1035 section 3.3.13
	TTL            time.Duration // whole seconds, as the three below
	NegativeTTL    time.Duration
	MinInterval    time.Duration // between two publications
	ValidFor       time.Duration // 0: copies never fall silent
	Text           string        // $ is the address and $$ a dollar
	MaxChange      criteria.Micro
	MaxChangeFloor int64
	Keep           int // generations
}

// Evidence is how much of the evidence a look-up may show.
type Evidence string

// The amounts of evidence.
const (
	EvidenceNone    Evidence = "none"
	EvidenceSubject Evidence = "subject"
	EvidenceHeaders Evidence = "headers"
)

// Web is [web]: the public pages.
type Web struct {
	Address     Address // zero: off
	BaseURL     string  // http or https, without a final slash; "" when not set
	Evidence    Evidence
	TrustProxy  []netip.Prefix // peers whose X-Forwarded-For counts
	SelfRemoval bool           // listed parties may delist an address that is verified as theirs
}

// Hearing is what the pages about disputes on the listener for metrics let anybody do who
// reaches it.
type Hearing string

// The ways of hearing.
const (
	HearingOff   Hearing = "off"
	HearingRead  Hearing = "read"  // see all of them, with what is private
	HearingWrite Hearing = "write" // and decide
)

// Ops is [ops]: metrics and the operator's pages.
type Ops struct {
	Address  Address // zero: off
	Disputes Hearing // other than off on loopback alone
}

// Admin is [admin]: the socket of the command line.
type Admin struct {
	Socket string // a path, resolved against DataDir
}

// Retention is [retention]: how long what is kept.
type Retention struct {
	Hits     time.Duration // not shorter than the policy looks back
	Evidence time.Duration // not shorter than a hit counts
}

// Find names the configuration to read: the flag, else $TRAPLINE_CONFIG, else ./trapline.toml,
// else /etc/trapline/trapline.toml. It is an error that none of the four is there. Whether a file
// named by flag or variable exists is for Load to say.
func Find(flag string, getenv func(string) string) (path string, err error) {
	if flag != "" {
		return flag, nil
	}
	if path = getenv("TRAPLINE_CONFIG"); path != "" {
		return path, nil
	}
	const here, installed = "trapline.toml", "/etc/trapline/trapline.toml"
	// A file that is there but cannot be read is the one that was meant. Nobody means one in a
	// working directory that he may not enter, as when root's shell runs us as the daemon's user.
	_, err = os.Stat(here)
	if err == nil {
		return here, nil
	}
	if _, err = os.Stat(installed); !errors.Is(err, fs.ErrNotExist) {
		return installed, nil
	}
	return "", errors.New("find config: no ./trapline.toml and no /etc/trapline/trapline.toml: " +
		"give --config FILE, or write one with trapline init")
}

// Load reads and checks the file at path. What is wrong with its content is Faults, see Parse;
// other errors are about the file itself.
func Load(path string) (*Config, error) {
	text, err := readText(path)
	if err != nil {
		return nil, err
	}
	return Parse(path, text)
}

func readText(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read config: %w", err)
	}
	defer func() { _ = f.Close() }() // only read
	text, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return nil, fmt.Errorf("read config: %w", err)
	}
	return text, nil
}

// Parse checks the text of a configuration; name is the file's in faults. The error is Faults:
// all there is to mend, unless the text is no TOML at all, of which it tells the first place.
func Parse(name string, text []byte) (*Config, error) {
	c, _, err := parse(name, text, nil)
	return c, err
}

// parse is Parse with a file of traps that is not there yet.
func parse(name string, text []byte, trial *TrapFile) (*Config, *reader, error) {
	if len(text) > maxFile {
		return nil, nil, Faults{{File: name, Problem: "is larger than 1 MiB", Mend: "is this the right file?"}}
	}
	// TOML 1.1 asks readers to skip the byte order mark that some editors write.
	text = bytes.TrimPrefix(text, []byte("\ufeff"))
	tree, syntax := parseTree(text)
	if syntax != nil {
		syntax.File = name
		return nil, nil, Faults{*syntax}
	}
	r := newReader(name)
	r.trial = trial
	tree.index("", r.lines)
	c := r.config(section{r, "", tree})
	r.checkUnknown(tree)
	if faults := append(r.faults.sorted(), r.included...); len(faults) > 0 {
		return nil, r, faults
	}
	return c, r, nil
}

// Keys lists every key that a configuration can have, as "trap.kind", in the order in which they
// are documented.
func Keys() []string {
	r := newReader("")
	r.dry = true
	r.config(section{r, "", nil})
	return slices.Clone(r.keys)
}
