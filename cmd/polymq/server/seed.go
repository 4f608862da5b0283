package server

import (
	"cmp"
	"context"
	"os"

	"github.com/polymq/polymq/cmd/polymq/client"
	"github.com/polymq/polymq/cmd/polymq/seed"
	"github.com/polymq/polymq/protocols"
	"github.com/polymq/polymq/protocols/caller"
)

// seed makes what the settings' file declares, by a JSON API of its own: nobody else can reach it, so that it
// asks for no access key.
func (s *Server) seed(ctx context.Context) error {
	if s.config.Seed == "" {
		return nil
	}
	text, err := os.ReadFile(s.config.Seed)
	if err != nil {
		return err
	}
	documents, err := seed.Parse(text, os.LookupEnv)
	if err != nil {
		return err
	}
	handler := protocols.NewAPI(s.broker, protocols.Options{
		Caller: caller.Options{Region: s.config.Region, PublicURL: cmp.Or(s.config.PublicURL, s.plainURL())}, Version: Version(), Log: s.log,
	})
	changes, err := seed.Apply(ctx, &client.Client{Transport: client.InProcess(handler)}, documents, seed.Options{})
	counts := map[seed.Action]int{}
	for _, change := range changes {
		counts[change.Action]++
	}
	s.log.Info().Int("created", counts[seed.Create]).Int("changed", counts[seed.Alter]).Str("file", s.config.Seed).Msg("seed is applied")
	return err
}
