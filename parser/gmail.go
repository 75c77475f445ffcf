package parser

var (
	// gmail is Google's MX, submission and relay service. The PTR name has its final dot. The web and
	// the API write no peer. `2002:a05:…` is an internal name, not an address.
	gmail = grammar{
		name: "gmail",
		example: "from [192.0.2.9] (r.example. [198.51.100.7]) by mx.google.com with ESMTPS id " +
			"3-20020a63 " +
			"for <t@example> (version=TLS1_3 cipher=X bits=256/256); Sun, 17 Dec 2023 05:41:19 -0800 (PST)",
		mark: func(c *clauses) bool {
			return hasSuffix(c.by, ".google.com") || hasSuffix(c.by, ".gmail.com") ||
				len(c.from) == 0 && hasPrefix(c.by, "2002:a")
		},
		read: func(c *clauses) (client, bool) {
			if len(c.from) == 0 || c.with("HTTP") {
				return hidden(c)
			}
			return soleBracket(c)
		},
	}
	// googleQueue is the line that Google puts above its MX's when it hands a message on between its
	// own machines, and so the topmost of every mailbox there. What came by HTTP has no line below.
	googleQueue = grammar{
		name: "gmail",
		example: "by 2002:a05:612c:1b13:b0:49b:3a60:d7b with SMTP id t19csp1; " +
			"Sun, 17 Dec 2023 05:41:20 -0800 (PST)",
		mark: func(c *clauses) bool {
			return len(c.from) == 0 && hasPrefix(c.by, "2002:a") && c.with("SMTP")
		},
		read: func(*clauses) (client, bool) { return client{origin: queued}, true },
	}
)
