package smq

import (
	"cmp"
	"slices"
	"strconv"

	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/protocols/mns"
	"github.com/polymq/polymq/protocols/openapi"
)

// encryption is what can be asked for of a queue or topic; it is kept and shown.
type encryption struct {
	EnableSSE    *bool
	SseType      *string
	SseAlgorithm *string
	KmsKeyId     *string
}

// Names of what is kept with queues, topics and subscriptions.
const (
	keptSSE          = "smq.EnableSSE"
	keptSseType      = "smq.SseType"
	keptSseAlgorithm = "smq.SseAlgorithm"
	keptKmsKeyID     = "smq.KmsKeyId"
	keptDlqPolicy    = "smq.DlqPolicy" // one that is not enabled
	keptStsRoleArn   = "smq.StsRoleArn"
	keptDysms        = "smq.DysmsAttributes"
	keptKafka        = "smq.KafkaAttributes"
)

// maxKeptLength bounds each text that is kept.
const maxKeptLength = 4096

// sseAlgorithm is shown where encryption is asked for without one.
const sseAlgorithm = "AES-256-GCM"

// change adds what was given to a change of attributes.
func (e *encryption) change(change map[string]*string) error {
	if e.EnableSSE != nil {
		value := strconv.FormatBool(*e.EnableSSE)
		change[keptSSE] = &value
	}
	for name, value := range map[string]*string{keptSseType: e.SseType, keptSseAlgorithm: e.SseAlgorithm, keptKmsKeyID: e.KmsKeyId} {
		if err := keep(change, name, value); err != nil {
			return err
		}
	}
	return nil
}

// keep adds a text, if it is given, to a change of attributes.
func keep(change map[string]*string, name string, value *string) error {
	if value == nil {
		return nil
	}
	if len(*value) > maxKeptLength || !core.ValidText([]byte(*value)) {
		return openapi.InvalidParameter(name[len("smq."):], "must be a text of at most "+strconv.Itoa(maxKeptLength)+" bytes")
	}
	change[name] = value
	return nil
}

// encryptionData is the same in an answer.
type encryptionData struct {
	EnableSSE         bool
	EncryptionEnabled bool
	SseType           string `json:",omitempty"`
	SseAlgorithm      string `json:",omitempty"`
	KmsKeyId          string `json:",omitempty"`
}

func encryptionOf(attributes map[string]string) encryptionData {
	on, algorithm := attributes[keptSSE] == "true", attributes[keptSseAlgorithm]
	if on {
		algorithm = cmp.Or(algorithm, sseAlgorithm)
	}
	return encryptionData{on, on, attributes[keptSseType], algorithm, attributes[keptKmsKeyID]}
}

// differs says that something is asked for of what is there already that would be shown otherwise.
func differs(has map[string]string, change map[string]*string) bool {
	asked := values(change)
	for name, value := range has {
		if _, given := asked[name]; !given {
			asked[name] = value
		}
	}
	return encryptionOf(has) != encryptionOf(asked) || *rateData(has[mns.AttributeRate]) != *rateData(asked[mns.AttributeRate]) ||
		slices.ContainsFunc([]string{keptStsRoleArn, keptDysms, keptKafka, mns.AttributeMail}, func(name string) bool { return has[name] != asked[name] })
}

// values gives the change as the attributes of something new.
func values(change map[string]*string) map[string]string {
	attributes := map[string]string{}
	for name, value := range change {
		if value != nil {
			attributes[name] = *value
		}
	}
	return attributes
}
