package parser

// Postfix (smtpd.c) turns blanks, parentheses and quotes of a HELO into question marks but lets
// brackets pass, and prints names only if they are valid: HELO is one word and the peer's comment
// is the second token, whatever the sender says.
var postfix = grammar{
	name: "postfix",
	example: "from h.example (r.example [198.51.100.7]) (using TLSv1.3 with cipher X (256/256 " +
		"bits)) " +
		"by mx.example (Postfix) with ESMTPS id 4F3D21234 for <t@example>; " +
		"Tue, 15 Mar 2022 10:30:00 +0000 (UTC)",
	mark: func(c *clauses) bool { return c.product("Postfix") },
	read: readPostfix,

	strictHelo: true,
}

// readPostfix also knows `by S (Postfix, from userid N)`, the pickup of a local program, and lines
// without a client (smtpd_hide_client_session).
func readPostfix(c *clauses) (client, bool) {
	switch {
	case len(c.from) > 0:
		return afterHelo(c)
	case c.product("Postfix, from userid"):
		return onHost(c)
	}
	return hidden(c)
}
