package caller

// Limits hold accounts to what they may have.
type Limits interface {
	// Admit lets the account make a request, or says Throttled.
	Admit(account string) error
}

// Admit lets a caller's account make a request, once it is known. Protocols ask before they do anything else.
func (o *Options) Admit(c *Caller) error {
	if o.Limits == nil || c.admitted {
		return nil
	}
	c.admitted = true
	return o.Limits.Admit(c.Account)
}
