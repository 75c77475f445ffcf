package trap

// eximVoice is an Exim of Debian 12, which names peers by their address alone
// (acl_smtp_helo can do that) and offers DSN and SMTPUTF8, but neither CHUNKING nor HELP. Exim has
// no enhanced codes and does not offer them. They stand only where ours mean something that the
// contract promises, as an access rule of Exim's may write them before its message.
var eximVoice = voice{
	offers:  []string{"SIZE", "8BITMIME", "DSN", "PIPELINING", "STARTTLS", "SMTPUTF8"},
	queueID: (*spool).eximID,
	lines: [replyEnd]line{
		replyGreeting:     {220, "", "%h ESMTP Exim 4.96 %d"},
		replyGreetingLMTP: {220, "", "%h LMTP Exim 4.96 %d"},
		replyHello:        {250, "", "%h Hello [%p]"},
		replySenderOK:     {250, "", "OK"},
		replyRecipientOK:  {250, "", "Accepted"},
		replyStart:        {354, "", `Enter message, ending with "." on a line by itself`},
		replyQueued:       {250, "", "OK id=%q"},
		replyReset:        {250, "", "Reset OK"},
		replyOK:           {250, "", "OK"},
		replyNoVerify:     {252, "", "Administrative prohibition"},
		replyStartTLS:     {220, "", "TLS go ahead"},
		replyBye:          {221, "", "%h closing connection"},

		replyStranger: {550, "5.1.1", "Unrouteable address"},
		replyTooMany:  {452, "4.5.3", "too many recipients"},
		replyMemory:   {451, "4.3.1", "Temporary local problem - please try later"},
		replyBusy:     {451, "4.3.0", "Temporary local problem - please try later"},
		replyFull:     {452, "4.3.1", "space shortage, please try later"},
		replyOversize: {552, "5.3.4", "Message size exceeds maximum permitted"},

		replyUnknown:        {500, "", "unrecognized command"},
		replyEmpty:          {500, "", "unrecognized command"},
		replyNotImplemented: {502, "", "Administrative prohibition"},
		replyNoChunks:       {502, "", "BDAT command used when CHUNKING not advertised"},
		replyNoTurn:         {458, "", "Administrative prohibition"},
		replyNoAuth:         {503, "", "AUTH command used when not advertised"},
		replyLongLine:       {500, "", "unrecognized command"},
		replyNoPath:         {500, "", "unrecognized command"},
		replyTLSWords:       {501, "", "unexpected argument data"},
		replyNoTLS:          {503, "", "STARTTLS command used when not advertised"},
		replyTLSTwice:       {554, "", "Already in TLS"},
		replyNested:         {503, "", "sender already given"},
		replyNoSender:       {503, "", "sender not yet given"},
		replyNoRecipient:    {503, "", "valid RCPT command must precede DATA"},
		replyNoneValid:      {503, "", "valid RCPT command must precede DATA"},
		replySequence:       {503, "", "bad sequence of commands"},

		replyConnections: {421, "4.7.0",
			"Too many concurrent SMTP connections; please try again later."},
		replyRate:      {421, "4.7.0", "%h: too much mail; please try again later."},
		replyNotServed: {421, "4.7.0", "%h: Service not available"},
		replyForeign:   {500, "", "unrecognized command"},
		replyErrors:    {421, "4.7.0", "%h: Too many syntax or protocol errors"},
		replyTimeout:   {421, "", "%h: SMTP command timeout - closing connection"},
		replyStopping:  {421, "", "%h: Service not available - closing connection"},
		replyFault:     {421, "", "%h: Unexpected failure, please try later"},
	},
}
