package pg

import "context"

// URL gives tests the way to a store's database.
func (s *Store) URL() string {
	if s.opts.DirectURL != "" {
		return s.opts.DirectURL
	}
	return s.opts.URL
}

// FoldAllCounts folds until there is nothing to fold.
func FoldAllCounts(s *Store) (n int, err error) {
	const batch = 1000
	for folded := batch; folded == batch && err == nil; n += folded {
		folded, err = s.FoldCounts(context.Background(), batch)
	}
	return n, err
}
