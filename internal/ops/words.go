package ops

import "slices"

// words are the values that a label may have. They are ours, and all of them are shown from the
// start, at 0: so an alert sees the first fault, and nobody outside can add a series.
type words []string

// other stands for a word that is not in the list, which is a fault of the program.
const other = "other"

func (w words) of(word string) string {
	if slices.Contains(w, word) {
		return word
	}
	return other
}

// label is a name and its values.
type label struct {
	name  string
	words words
}

// The values of labels. Those of what trap, intake and judge tell are listed with their Observer.
var (
	whyRefused = label{"why", words{"connections", "connections-per-ip", "connections-per-network",
		"rate-per-ip", "rate-per-network", "proxy-header", "peer", other}}
	whyEnded = label{"why", words{"quit", "closed", "reset", "timeout", "errors", "rate", "bytes",
		"no-client", "protocol", "tls", "shutdown", "cut", "fault", other}}
	did          = label{"did", words{"nothing", "talk", "mail"}}
	whyRecipient = label{"why", words{"stranger", "resting", "mixed", "too-many", other}}
	class        = label{"class", words{"trap", "reporter", "mailbox", other}}
	whyNotTaken  = label{"why", words{"busy", "full", "fault", "memory", "rate", "bytes", "timeout",
		"cut", "broken", other}}
	abuseKind = label{"kind", words{"http", "tls", "proxy", "auth", "early", "injection",
		"smuggling", "long-line", other}}
	whyTLS  = label{"why", words{"timeout", "closed", "not-tls", "handshake", other}}
	where   = label{"where", words{"accept", "session", "writer", "judge", "zone", other}}
	hitKind = label{"kind", words{"trap", "report", other}}
	cause   = label{"cause", words{"unknown", "direct", "relay", "submission", "webmail", "script",
		"proxy", "bounce", "autoreply", "list", other}}
	attributed = label{"attributed", words{yes, no}}
	whyNobody  = label{"reason", words{"no-received", "unreadable-received", "wrong-by",
		"special-address", "all-trusted", "local-submission", "no-trusted-start",
		"nothing-attached", other}}
	whyReport = label{"why", words{"nothing-attached", "unreadable-date", "future-date", "too-old",
		other}}
	change = label{"change", words{"listed", "delisted", "relisted"}}
	step   = label{"step", words{"opened", "proved", "reread", "answered", "accepted", "rejected",
		"removed", "expired", "moot", other}}
	trigger = label{"trigger", words{"hit", "time", "decision", other}}
)

const (
	yes = "yes"
	no  = "no"
)
