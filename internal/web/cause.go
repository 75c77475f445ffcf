package web

import (
	"net/http"

	"github.com/trapline/trapline/criteria"
)

// topic is a page about a cause.
type topic struct {
	Name  string // in its address
	Title string
	Brief string
}

// topics are the causes that look-ups name, and others that look the same from outside.
var topics = [...]topic{
	{"direct", "An infected machine sends by itself",
		"A computer, phone or device behind the address speaks SMTP to the whole world."},
	{"relay", "A machine sends through your mail server",
		"Somebody inside hands spam to the server that you run, and the server passes it on."},
	{"open-relay", "Your server passes on mail for strangers",
		"An open relay, a forwarding rule or a forgotten test setting."},
	{"submission", "A stolen mail password",
		"Spam is submitted with SMTP AUTH as one of your users."},
	{"webmail", "Spam sent through webmail",
		"A stolen password, or an account made for it, at a web interface."},
	{"script", "A script on a web server",
		"A contact form, a plugin or a planted PHP file sends mail."},
	{"proxy", "An open or planted proxy",
		"A proxy, VPN exit or home router lets strangers speak from your address."},
	{"bounce", "Bounces to people who sent nothing",
		"Your server takes mail first and returns it to a forged sender later."},
	{"autoreply", "Automatic replies to people who wrote nothing",
		"Vacation notes, ticket systems and challenge messages answer forged senders."},
	{"list", "List mail that nobody asked for",
		"A newsletter or mailing list has addresses that never agreed."},
	{"unknown", "The cause cannot be told",
		"What was sent does not show how it got out. Look in this order."},
}

// topicOf finds a topic by its name.
func topicOf(name string) (topic, bool) {
	for _, t := range topics {
		if t.Name == name {
			return t, true
		}
	}
	return topic{}, false
}

// titleOf is the title of a cause's page.
func titleOf(c criteria.Cause) string {
	t, _ := topicOf(c.String())
	return t.Title
}

func (s *Site) causes(w http.ResponseWriter, r *http.Request) {
	s.show(w, r, view{page: "causes", title: "Causes", data: topics})
}

func (s *Site) cause(w http.ResponseWriter, r *http.Request) {
	t, known := topicOf(r.PathValue("cause"))
	if !known {
		s.fail(w, r, problem{http.StatusNotFound, "No such cause", "There is no cause of that name.",
			"The page /causes has all of them."})
		return
	}
	s.show(w, r, view{page: "cause/" + t.Name, title: t.Title, data: t})
}
