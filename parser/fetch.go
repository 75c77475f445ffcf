package parser

// fetchmail takes mail out of a mailbox over POP3 or IMAP and hands it on. Its line tells the
// mailbox's server, which sent nothing: the line below is the one that server wrote when the mail
// came in. Fetched through a tunnel, the server's address is loopback.
var fetchmail = grammar{
	name: "fetchmail",
	example: "from mail.example [198.51.100.7] by localhost with POP3 (fetchmail-6.4.37) " +
		"for t@localhost (single-drop); Thu, 22 Aug 2002 13:17:21 +0100 (IST)",
	mark: func(c *clauses) bool { return c.remark("fetchmail-") },
	read: func(c *clauses) (client, bool) {
		if len(c.from) != 2 || c.from[0].kind != word || c.from[1].kind != word {
			return unfit()
		}
		ip, ok := parseLiteral(c.from[1].text)
		return client{origin: mailbox, ip: ip, helo: c.from[0].text}, ok
	},
}
