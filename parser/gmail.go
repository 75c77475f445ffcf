package parser

// gmail is Google's MX, submission and relay service. The PTR name has its final dot. Between its
// own machines Google shows no peer: `by 2002:a05:…` is an internal name, not an address, and the
// web and API write none either.
var gmail = grammar{
	name: "gmail",
	example: "from [192.0.2.9] (r.example. [198.51.100.7]) by mx.google.com with ESMTPS id " +
		"3-20020a63 " +
		"for <t@example> (version=TLS1_3 cipher=X bits=256/256); Sun, 17 Dec 2023 05:41:19 -0800 (PST)",
	mark: func(c *clauses) bool {
		return hasSuffix(c.by, ".google.com") || hasSuffix(c.by, ".gmail.com") || isGoogleInternal(c) ||
			c.remark("Google Transport Security")
	},
	read: func(c *clauses) (client, bool) {
		if len(c.from) == 0 || c.with("HTTP") {
			return hidden(c)
		}
		return soleBracket(c)
	},
}

func isGoogleInternal(c *clauses) bool {
	return len(c.from) == 0 && hasPrefix(c.by, "2002:a")
}
