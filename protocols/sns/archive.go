package sns

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/protocols/sns/filter"
)

// Bounds of an archive.
const maxArchiveDays = 365

// setArchivePolicy reads how long a FIFO topic keeps what it publishes; a policy without members gives the archive up.
func setArchivePolicy(c *core.TopicChange, value string) error {
	if text := filter.SyntaxError(value); text != "" {
		return errors.New("ArchivePolicy: " + text)
	}
	var members map[string]json.RawMessage
	if json.Unmarshal([]byte(value), &members) != nil || members == nil {
		return errors.New("ArchivePolicy: it must be an object of JSON")
	}
	if len(members) == 0 {
		c.Archive = ref(time.Duration(0))
		keep(&c.Attributes, archivePolicyKey, "")
		return nil
	}
	var policy struct{ MessageRetentionPeriod json.RawMessage }
	if err := readPolicy(archivePolicy, value, &policy); err != nil {
		return err
	}
	days, err := strconv.Atoi(unquoted(policy.MessageRetentionPeriod))
	if err != nil || days < 1 || days > maxArchiveDays {
		return fmt.Errorf("ArchivePolicy: MessageRetentionPeriod must be 1 to %d", maxArchiveDays)
	}
	c.Archive = ref(time.Duration(days) * 24 * time.Hour)
	keep(&c.Attributes, archivePolicyKey, value)
	return nil
}

// unquoted gives a number's digits, which may stand in quotes.
func unquoted(value json.RawMessage) string {
	var text string
	if json.Unmarshal(value, &text) == nil {
		return text
	}
	return string(value)
}

func showArchiveBegins(t *core.Topic) string {
	if t.ArchiveBegins.IsZero() {
		return ""
	}
	return timestamp(t.ArchiveBegins)
}

// wishReplay reads a ReplayPolicy; one that is empty ends the replay under way.
func (w *wishes) wishReplay(value string) error {
	w.replay = &core.Replay{}
	if value == "" || value == "{}" {
		w.replayPolicy = ref("")
		return nil
	}
	w.replayPolicy = &value
	var policy struct{ PointType, StartingPoint, EndingPoint string }
	if err := readPolicy(replayPolicy, value, &policy); err != nil {
		return err
	}
	if policy.PointType != "Timestamp" {
		return fmt.Errorf("ReplayPolicy: PointType must be Timestamp, was %s", short(policy.PointType))
	}
	var err error
	if w.replay.From, err = time.Parse(time.RFC3339, policy.StartingPoint); err != nil {
		return errors.New("ReplayPolicy: StartingPoint must be a time such as 2026-01-31T04:37:04.321Z")
	}
	if policy.EndingPoint == "" {
		return nil
	}
	to, err := time.Parse(time.RFC3339, policy.EndingPoint)
	if err != nil {
		return errors.New("ReplayPolicy: EndingPoint must be a time such as 2026-01-31T04:37:04.321Z")
	}
	if !to.After(w.replay.From) {
		return errors.New("ReplayPolicy: EndingPoint must be later than StartingPoint")
	}
	w.replay.To = to.Add(time.Millisecond - time.Microsecond) // a message's Timestamp is shown without microseconds
	return nil
}

// replayStatus says how far the replay of a subscription's ReplayPolicy has got.
func replayStatus(sub *core.Subscription) string {
	switch {
	case sub.Attributes[replayKey] == "":
		return ""
	case sub.Replay == core.ReplayPending:
		return "Pending"
	case sub.Replay == core.Replaying:
		return "In progress"
	case sub.Replay == core.ReplayFailing:
		return "Failed"
	}
	return "Completed"
}
