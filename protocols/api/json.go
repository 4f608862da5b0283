package api

import (
	"encoding/json"

	"github.com/danielgtaylor/huma/v2"

	"github.com/polymq/polymq/protocols/caller"
)

// jsonFormat is JSON as huma reads and writes it, without what encoding/json would quietly change: a
// message arrives as it was sent, or not at all.
var jsonFormat = huma.Format{Marshal: huma.DefaultJSONFormat.Marshal, Unmarshal: unmarshalText}

func unmarshalText(data []byte, into any) error {
	if err := caller.CheckJSONText(data); err != nil {
		return err
	}
	return json.Unmarshal(data, into)
}
