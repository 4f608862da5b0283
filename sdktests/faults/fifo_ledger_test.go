package faults

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

// Who holds a group loses it once for each time that time is moved, and not to two who asked after that is known to have happened.
func TestLedgerComparesHoldersWhileTimeIsMoved(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		steps string // 1 to 9 asks, and arrives when it stands there again; < begins to move time, > has moved it
		wrong int
	}{
		"two at once":                          {"1122", 1},
		"before and after":                     {"11<>22", 0},
		"while it is moved":                    {"<1122>", 0},
		"three while it is moved once":         {"<112233>", 0}, // the third may hold what the second got before
		"four, of which two asked later":       {"<11223344>", 1},
		"four while it is moved twice":         {"<<11223344>", 0},
		"six while it is moved twice":          {"<<112233445566>", 1},
		"four, of which the last asked before": {"<4112233" + "4>", 0}, // its answer was under way all the time
		"later":                                {"<>1122", 1},
		"twice in turn":                        {"<1122><3344>", 0},
	} {
		l := &fifoLedger{groups: map[string]*fifoGroup{"a": {messages: []fifoMessage{{id: "id"}}}}}
		asked := map[rune]int{}
		for _, step := range tt.steps {
			switch step {
			case '<':
				l.moves()
			case '>':
				l.moved()
			default:
				epoch, again := asked[step]
				if !again {
					asked[step] = l.now()
					continue
				}
				l.arrived([]types.Message{{Body: aws.String("a/0"), MessageId: aws.String("id"), Attributes: map[string]string{"MessageGroupId": "a"}}}, time.Now(), epoch)
			}
		}
		if len(l.wrong) != tt.wrong {
			t.Errorf("%s: %q, want %d", name, l.wrong, tt.wrong)
		}
	}
}
