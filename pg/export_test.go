package pg

// URL gives tests the way to a store's database.
func (s *Store) URL() string {
	if s.opts.DirectURL != "" {
		return s.opts.DirectURL
	}
	return s.opts.URL
}
