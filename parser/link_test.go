package parser

import "testing"

func TestLinks(t *testing.T) {
	for _, c := range []struct {
		name, text string
		want       bool
	}{
		{"nothing", "Sorry, a@example is away: call 1/2.", false},
		{"an address", "see HTTP://sender.example", true},
		{"a host", "see Www.sender.example", true},
		{"two bytes a letter", "s\x00e\x00e\x00", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := holdsLink([]byte(c.text)); got != c.want {
				t.Errorf("holdsLink(%q) = %t", c.text, got)
			}
		})
	}
}

func TestHyperlinks(t *testing.T) {
	for _, c := range []struct {
		name, text string
		want       bool
	}{
		{"nothing", "<p style='color: red'>Sorry, no action: url and href are words.</p>", false},
		{"a mailbox", `<a href="mailto:a@example">a</a>`, false},
		{"what HTML names itself by", `<!DOCTYPE html "http://www.w3.org/TR/xhtml1"><html xmlns:m=` +
			`"http://schemas.microsoft.com/office/2004/12/omml">`, false},
		{"a word at the end", "<a href", false},
		{"a sign at the end", "<a href=", true},
		{"a link", `<a HREF="http://sender.example">`, true},
		{"a link without quotes", "<a href=x>", true},
		{"a link over lines", "<a href\n = \t'x'>", true},
		{"a link in entities", `<a href="&#104;ttp:x">`, true},
		{"a link behind a mailbox", `<a href="mailto:a@example"><a href="x">`, true},
		{"a picture", "<img src='x'>", true},
		{"a form", "<form action=x>", true},
		{"a picture behind the text", "<body background=x>", true},
		{"a picture by its style", "<p style='background-image: url(x)'>", true},
		{"another page", "<meta http-equiv=refresh content='0; url=x'>", true},
		{"an address in the text", "see https://sender.example", true},
		{"an address behind HTML's own", "<html xmlns='http://www.w3.org/TR'>ftp://sender.example", true},
		{"two bytes a letter", "<\x00a\x00", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := holdsHyperlink([]byte(c.text)); got != c.want {
				t.Errorf("holdsHyperlink(%q) = %t", c.text, got)
			}
		})
	}
}
