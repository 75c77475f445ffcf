package parser

// fetchmail, and what works like it, takes mail out of a mailbox over POP3 or IMAP and hands it on.
// Its line tells the mailbox's server, which sent nothing: the line below is the one that server
// wrote when the mail came in. Fetched through a tunnel, the server's address is loopback.
var fetchmail = grammar{
	name: "fetchmail",
	example: "from mail.example [198.51.100.7] by localhost with POP3 (fetchmail-6.4.37) " +
		"for t@localhost (single-drop); Thu, 22 Aug 2002 13:17:21 +0100 (IST)",
	mark: func(c *clauses) bool { return c.remark("fetchmail-") || c.with("POP", "IMAP") },
	read: func(c *clauses) (client, bool) {
		for _, read := range [...]func(*clauses) (client, bool){bareBracket, bareParen, soleBracket} {
			if p, ok := read(c); ok {
				p.origin = mailbox
				return p, true
			}
		}
		return unfit()
	},
}
