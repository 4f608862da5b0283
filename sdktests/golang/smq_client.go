package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/requests"
	mns_open "github.com/aliyun/alibaba-cloud-sdk-go/services/mns-open"
)

// olderClient calls all fifteen actions of the client of mns-open that Alibaba's older SDK for Go has.
func olderClient(context.Context) error {
	client, err := mns_open.NewClientWithAccessKey("cn-hangzhou", accessKey, secretKey())
	if err != nil {
		return err
	}
	o := older{client, queueName()}
	return errors.Join(o.queue(), o.topic(), o.subscription(), o.missing())
}

type older struct {
	client *mns_open.Client
	name   string
}

// here sends a request to the server of the checks.
func here(request *requests.RpcRequest) {
	request.Scheme, request.Domain = "http", host()
}

// gave is what answers have in common.
func gave(action string, err error, success bool, code int64) error {
	if err != nil || !success || code != 200 {
		return fmt.Errorf("%s: success %t, code %d, %w", action, success, code, err)
	}
	return nil
}

func (o older) queue() error {
	create := mns_open.CreateCreateQueueRequest()
	here(create.RpcRequest)
	create.QueueName, create.VisibilityTimeout, create.DelaySeconds, create.EnableLogging = o.name, "45", "1", "true"
	created, err := o.client.CreateQueue(create)
	if err := gave("CreateQueue", err, created.Success, created.Data.Code); err != nil {
		return err
	}
	set := mns_open.CreateSetQueueAttributesRequest()
	here(set.RpcRequest)
	set.QueueName, set.MaximumMessageSize, set.MessageRetentionPeriod, set.PollingWaitSeconds = o.name, "2048", "3600", "2"
	changed, err := o.client.SetQueueAttributes(set)
	if err := gave("SetQueueAttributes", err, changed.Success, changed.Data.Code); err != nil {
		return err
	}
	get := mns_open.CreateGetQueueAttributesRequest()
	here(get.RpcRequest)
	get.QueueName = o.name
	got, err := o.client.GetQueueAttributes(get)
	if err := gave("GetQueueAttributes", err, got.Success, got.Code); err != nil {
		return err
	}
	d := got.Data
	if err := equal("attributes", fmt.Sprint(d.QueueName, d.VisibilityTimeout, d.DelaySeconds, d.MaximumMessageSize, d.MessageRetentionPeriod, d.PollingWaitSeconds, d.LoggingEnabled, d.CreateTime > 0),
		fmt.Sprint(o.name, 45, 1, 2048, 3600, 2, true, true)); err != nil {
		return err
	}
	list := mns_open.CreateListQueueRequest()
	here(list.RpcRequest)
	list.QueueName, list.PageNum, list.PageSize = o.name, "1", "10"
	listed, err := o.client.ListQueue(list)
	if err := gave("ListQueue", err, listed.Success, listed.Code); err != nil {
		return err
	}
	return equal("rows", fmt.Sprint(len(listed.Data.PageData), listed.Data.Total, listed.Data.PageSize), "1 1 10")
}

func (o older) topic() error {
	create := mns_open.CreateCreateTopicRequest()
	here(create.RpcRequest)
	create.TopicName, create.MaxMessageSize, create.EnableLogging = o.name, "2048", "true"
	created, err := o.client.CreateTopic(create)
	if err := gave("CreateTopic", err, created.Success, created.Data.Code); err != nil {
		return err
	}
	set := mns_open.CreateSetTopicAttributesRequest()
	here(set.RpcRequest)
	set.TopicName, set.MaxMessageSize = o.name, "4096"
	changed, err := o.client.SetTopicAttributes(set)
	if err := gave("SetTopicAttributes", err, changed.Success, changed.Data.Code); err != nil {
		return err
	}
	get := mns_open.CreateGetTopicAttributesRequest()
	here(get.RpcRequest)
	get.TopicName = o.name
	got, err := o.client.GetTopicAttributes(get)
	if err := gave("GetTopicAttributes", err, got.Success, got.Code); err != nil {
		return err
	}
	if err := equal("attributes", fmt.Sprint(got.Data.TopicName, got.Data.MaxMessageSize, got.Data.LoggingEnabled, got.Data.MessageRetentionPeriod), fmt.Sprint(o.name, 4096, true, 86400)); err != nil {
		return err
	}
	list := mns_open.CreateListTopicRequest()
	here(list.RpcRequest)
	list.TopicName = o.name
	listed, err := o.client.ListTopic(list)
	if err := gave("ListTopic", err, listed.Success, listed.Code); err != nil {
		return err
	}
	return equal("rows", len(listed.Data.PageData), 1)
}

func (o older) subscription() error {
	subscribe := mns_open.CreateSubscribeRequest()
	here(subscribe.RpcRequest)
	subscribe.TopicName, subscribe.SubscriptionName, subscribe.PushType, subscribe.Endpoint, subscribe.MessageTag = o.name, "all", "queue", "acs:mns:cn-hangzhou:1234567890123456:queues/"+o.name, "red"
	subscribed, err := o.client.Subscribe(subscribe)
	if err := gave("Subscribe", err, subscribed.Success, subscribed.Code); err != nil {
		return err
	}
	set := mns_open.CreateSetSubscriptionAttributesRequest()
	here(set.RpcRequest)
	set.TopicName, set.SubscriptionName, set.NotifyStrategy = o.name, "all", "EXPONENTIAL_DECAY_RETRY"
	changed, err := o.client.SetSubscriptionAttributes(set)
	if err := gave("SetSubscriptionAttributes", err, changed.Success, changed.Data.Code); err != nil {
		return err
	}
	get := mns_open.CreateGetSubscriptionAttributesRequest()
	here(get.RpcRequest)
	get.TopicName, get.SubscriptionName = o.name, "all"
	got, err := o.client.GetSubscriptionAttributes(get)
	if err := gave("GetSubscriptionAttributes", err, got.Success, got.Code); err != nil {
		return err
	}
	if err := equal("attributes", fmt.Sprint(got.Data.Endpoint, got.Data.FilterTag, got.Data.NotifyStrategy, got.Data.NotifyContentFormat),
		fmt.Sprint(subscribe.Endpoint, "red", "EXPONENTIAL_DECAY_RETRY", "XML")); err != nil {
		return err
	}
	list := mns_open.CreateListSubscriptionByTopicRequest()
	here(list.RpcRequest)
	list.TopicName = o.name
	listed, err := o.client.ListSubscriptionByTopic(list)
	if err := gave("ListSubscriptionByTopic", err, listed.Success, listed.Code); err != nil {
		return err
	}
	return equal("rows", len(listed.Data.PageData), 1)
}

// missing ends all three, and looks for them.
func (o older) missing() error {
	unsubscribe := mns_open.CreateUnsubscribeRequest()
	here(unsubscribe.RpcRequest)
	unsubscribe.TopicName, unsubscribe.SubscriptionName = o.name, "all"
	unsubscribed, err := o.client.Unsubscribe(unsubscribe)
	if err := gave("Unsubscribe", err, unsubscribed.Success, unsubscribed.Code); err != nil {
		return err
	}
	deleteTopic := mns_open.CreateDeleteTopicRequest()
	here(deleteTopic.RpcRequest)
	deleteTopic.TopicName = o.name
	deletedTopic, err := o.client.DeleteTopic(deleteTopic)
	if err := gave("DeleteTopic", err, deletedTopic.Success, deletedTopic.Code); err != nil {
		return err
	}
	deleteQueue := mns_open.CreateDeleteQueueRequest()
	here(deleteQueue.RpcRequest)
	deleteQueue.QueueName = o.name
	deleted, err := o.client.DeleteQueue(deleteQueue)
	if err := gave("DeleteQueue", err, deleted.Success, deleted.Code); err != nil {
		return err
	}
	get := mns_open.CreateGetQueueAttributesRequest()
	here(get.RpcRequest)
	get.QueueName = o.name
	_, err = o.client.GetQueueAttributes(get)
	return equal("code", codeOf(err), "QueueNotExist")
}
