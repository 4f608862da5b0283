package console

import (
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/polymq/polymq/core"
)

// prices are those of a million requests, in one currency.
type prices struct {
	Currency    string  `json:"currency"`
	SQS         float64 `json:"sqs"`
	SQSFIFO     float64 `json:"sqs_fifo"`
	SNS         float64 `json:"sns"`
	AlibabaMNS  float64 `json:"mns"`
	AlibabaFIFO float64 `json:"mns_fifo"`
}

// listPrices are those of AWS in us-east-1 in 2026, and for Alibaba what its price of 2 yuan comes to in dollars: it
// differs by region and currency, and can be set.
var listPrices = prices{Currency: "USD", SQS: 0.40, SQSFIFO: 0.50, SNS: 0.50, AlibabaMNS: 0.30, AlibabaFIFO: 0.30}

// pricesRecord is where prices are kept that somebody has set.
var pricesRecord = core.RecordName{Kind: "console.prices", Name: "prices"}

// costLine is what the requests to one service would have cost in each cloud.
type costLine struct {
	Title       string
	Used        core.Usage
	AWS         float64
	Alibaba     float64
	EmptyShare  float64 // of receives, in percent
	EmptyAWS    float64 // what the empty ones alone cost
	HasReceives bool
}

// costsPage is the data of costs.html.
type costsPage struct {
	Days   int
	Lines  []costLine
	Total  costLine
	Prices prices
}

// The periods, in days, that the page offers.
const defaultCostDays = 30

var costPeriods = []int{1, 7, defaultCostDays, 365}

// showCosts shows what the account's requests would have cost in the clouds.
func (s *Server) showCosts(x *exchange) error {
	data := costsPage{Days: defaultCostDays}
	if days, err := strconv.Atoi(x.r.URL.Query().Get("days")); err == nil && days >= 1 && days <= core.MaxUsageDays {
		data.Days = days
	}
	var err error
	if data.Prices, err = s.prices(x); err != nil {
		return err
	}
	used, err := s.broker.Usage(x.ctx(), x.account, data.Days)
	if err != nil {
		return err
	}
	data.Lines, data.Total = bill(used, data.Prices)
	return s.show(x, "costs.html", &page{Title: "Costs", Active: "costs", Data: data, Snippets: costsSnippets(x)})
}

// bill makes a line for each service that was used, and the sum. Each cloud is taken to have got all the requests.
func bill(used []core.Usage, p prices) (lines []costLine, total costLine) {
	services := map[string]struct {
		title        string
		aws, alibaba float64 // prices
	}{
		"sqs": {"SQS, standard queues", p.SQS, p.AlibabaMNS}, "sqs-fifo": {"SQS, FIFO queues", p.SQSFIFO, p.AlibabaFIFO},
		"sns": {"SNS, topics", p.SNS, p.AlibabaMNS}, "mns-queues": {"MNS, queues", p.SQS, p.AlibabaMNS}, "mns-topics": {"MNS, topics", p.SNS, p.AlibabaMNS},
	}
	for _, u := range used {
		service, ok := services[u.Service]
		if !ok {
			continue
		}
		line := costLine{Title: service.title, Used: u, AWS: cost(u.Units, service.aws), Alibaba: cost(u.Units, service.alibaba), EmptyAWS: cost(u.EmptyReceives, service.aws)}
		line.share()
		lines = append(lines, line)
		total.Used.Requests, total.Used.Units = total.Used.Requests+u.Requests, total.Used.Units+u.Units
		total.Used.Receives, total.Used.EmptyReceives = total.Used.Receives+u.Receives, total.Used.EmptyReceives+u.EmptyReceives
		total.AWS, total.Alibaba, total.EmptyAWS = total.AWS+line.AWS, total.Alibaba+line.Alibaba, total.EmptyAWS+line.EmptyAWS
	}
	total.share()
	return lines, total
}

func (l *costLine) share() {
	if l.HasReceives = l.Used.Receives > 0; l.HasReceives {
		l.EmptyShare = 100 * float64(l.Used.EmptyReceives) / float64(l.Used.Receives)
	}
}

// cost gives what units cost at a price for a million.
func cost(units int64, price float64) float64 { return float64(units) * price / 1e6 }

// least is the smallest amount that is shown as a number.
const least = 1e-6

// Money gives an amount with as many digits as it needs to be more than nothing.
func (p prices) Money(amount float64) string {
	if amount > 0 && amount < least {
		return "< " + strconv.FormatFloat(least, 'f', -1, 64) + " " + p.Currency
	}
	digits := 2
	for amount > 0 && amount < 0.01 && digits < 6 {
		amount, digits = amount*10, digits+1
	}
	for range digits - 2 {
		amount /= 10
	}
	return strconv.FormatFloat(amount, 'f', digits, 64) + " " + p.Currency
}

// prices gives the prices that were set, else those of the lists.
func (s *Server) prices(x *exchange) (prices, error) {
	set := listPrices
	text, ok, err := s.broker.Record(x.ctx(), pricesRecord)
	if err != nil || !ok {
		return set, err
	}
	if err := json.Unmarshal([]byte(text), &set); err != nil {
		return listPrices, fmt.Errorf("read the prices: %w", err)
	}
	return set, nil
}

// maxPrice is the most that a million requests can be said to cost.
const maxPrice = 1e6

// setPrices keeps prices for everybody.
func (s *Server) setPrices(x *exchange) error {
	set := prices{Currency: shorten(8, x.field("currency"))}
	for name, price := range map[string]*float64{"sqs": &set.SQS, "sqs_fifo": &set.SQSFIFO, "sns": &set.SNS, "mns": &set.AlibabaMNS, "mns_fifo": &set.AlibabaFIFO} {
		n, err := strconv.ParseFloat(x.field(name), 64)
		if err != nil || n < 0 || n > maxPrice || n != n {
			return x.problem(core.InvalidArgument, x.t("A price is a number from 0 to %d.", int(maxPrice)))
		}
		*price = n
	}
	text, err := json.Marshal(set)
	if err != nil {
		return err
	}
	if _, created, err := s.broker.CreateRecord(x.ctx(), pricesRecord, string(text)); err != nil {
		return err
	} else if !created {
		if _, err := s.broker.SetRecord(x.ctx(), pricesRecord, string(text)); err != nil {
			return err
		}
	}
	return x.done("/costs", x.t("The prices were saved."))
}
