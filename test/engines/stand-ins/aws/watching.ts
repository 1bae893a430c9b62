import { type Answer, type AwsApi, orGone } from "./api.ts";
import { capitalised, type Described, goneTags, lowered, tagList, tagsOf } from "./kind.ts";

/** Alarms and dashboards of CloudWatch, topics and subscriptions of SNS. */
export function watchingKinds(api: AwsApi): Record<string, Described> {
  const watch = (action: string, params: object) => api.call("cloudwatch", action, params);
  const sns = (action: string, params: object) => api.call("sns", action, params);
  const alarmTags = async (ResourceARN: string, news: Answer, olds: Answer) => {
    const TagKeys = goneTags(olds, news);
    if (TagKeys.length > 0) await watch("UntagResource", { ResourceARN, TagKeys });
    await watch("TagResource", { ResourceARN, Tags: tagList(news.tags) });
  };
  const alarm = async (AlarmName: string): Promise<Answer> =>
    (await watch("DescribeAlarms", { AlarmNames: [AlarmName] })).MetricAlarms[0];
  const changeAlarm = (_id: string, { tags: _, ...news }: Answer) => watch("PutMetricAlarm", metricAlarmParams(news));
  const checkComposite = (_id: string, { tags, ...inputs }: Answer) =>
    api.check("cloudwatch", "PutCompositeAlarm", { ...withOkActions(capitalised(inputs)), Tags: tagList(tags) });
  const putDashboard = ({ dashboardName, dashboardBody }: Answer) =>
    watch("PutDashboard", { DashboardName: dashboardName, DashboardBody: dashboardBody });
  return {
    "aws:cloudwatch/metricAlarm:MetricAlarm": {
      autonamed: true,
      inputs: [...alarmKeys, "name", "metricQueries", "tags"],
      async create({ tags, ...inputs }) {
        await watch("PutMetricAlarm", { ...metricAlarmParams(inputs), Tags: tagList(tags) });
        return inputs.name;
      },
      async live(id) {
        const found = await alarm(id);
        if (found === undefined) return undefined;
        const { AlarmArn, Dimensions = [], Metrics, OKActions, ...rest } = found;
        const dimensions = Object.fromEntries(Dimensions.map(({ Name, Value }: Answer) => [Name, Value]));
        const plain = lowered(rest);
        const { Tags } = await watch("ListTagsForResource", { ResourceARN: AlarmArn });
        return {
          inputs: {
            ...Object.fromEntries(alarmKeys.map((key) => [key, plain[key]])),
            ...{ dimensions, okActions: OKActions, tags: tagsOf(Tags) },
            ...(Metrics === undefined || Metrics.length === 0 ? {} : { metricQueries: Metrics.map(queryOf) }),
          },
          outputs: { arn: AlarmArn },
        };
      },
      update: {
        ...Object.fromEntries([...alarmKeys, "metricQueries"].map((key) => [key, changeAlarm])),
        tags: (_id, news, olds) => alarmTags(olds.arn, news, olds),
      },
      delete: (id) => watch("DeleteAlarms", { AlarmNames: [id] }),
    },
    // moto has no composite alarms: that they are right questions is all that is checked of them.
    "aws:cloudwatch/compositeAlarm:CompositeAlarm": {
      inputs: ["alarmName", "alarmRule", "alarmActions", "okActions", "alarmDescription", "tags"],
      async create(inputs) {
        await checkComposite("", inputs);
        return inputs.alarmName;
      },
      live: async () => ({ inputs: {} }),
      update: Object.fromEntries(
        ["alarmRule", "alarmActions", "okActions", "alarmDescription", "tags"].map((key) => [key, checkComposite]),
      ),
      delete: async () => {},
    },
    "aws:cloudwatch/dashboard:Dashboard": {
      inputs: ["dashboardName", "dashboardBody"],
      async create(inputs) {
        await putDashboard(inputs);
        return inputs.dashboardName;
      },
      async live(id) {
        const answer = await orGone(watch("GetDashboard", { DashboardName: id }));
        if (answer === undefined) return undefined;
        return { inputs: { dashboardBody: answer.DashboardBody }, outputs: { dashboardArn: answer.DashboardArn } };
      },
      update: { dashboardBody: (_id, news) => putDashboard(news) },
      delete: (id) => watch("DeleteDashboards", { DashboardNames: [id] }),
    },
    "aws:sns/topic:Topic": {
      autonamed: true,
      inputs: ["name", "kmsMasterKeyId", "tags"],
      async create({ name, kmsMasterKeyId, tags }) {
        const Attributes = kmsMasterKeyId === undefined ? {} : { KmsMasterKeyId: kmsMasterKeyId };
        return (await sns("CreateTopic", { Name: name, Attributes, Tags: tagList(tags) })).TopicArn;
      },
      async live(id) {
        const answer = await orGone(sns("GetTopicAttributes", { TopicArn: id }));
        if (answer === undefined) return undefined;
        const { Tags } = await sns("ListTagsForResource", { ResourceArn: id });
        return { inputs: { name: id.split(":").at(-1), tags: tagsOf(Tags) }, outputs: { arn: id } };
      },
      update: {
        async tags(id, news, olds) {
          const TagKeys = goneTags(olds, news);
          if (TagKeys.length > 0) await sns("UntagResource", { ResourceArn: id, TagKeys });
          await sns("TagResource", { ResourceArn: id, Tags: tagList(news.tags) });
        },
      },
      delete: (id) => sns("DeleteTopic", { TopicArn: id }),
    },
    "aws:sns/topicSubscription:TopicSubscription": {
      inputs: ["topic", "protocol", "endpoint"],
      async create({ topic, protocol, endpoint }) {
        const wanted = { TopicArn: topic, Protocol: protocol, Endpoint: endpoint, ReturnSubscriptionArn: true };
        return (await sns("Subscribe", wanted)).SubscriptionArn;
      },
      async live(id) {
        const answer = await orGone(sns("GetSubscriptionAttributes", { SubscriptionArn: id }));
        if (answer === undefined) return undefined;
        const { TopicArn, Protocol, Endpoint } = answer.Attributes;
        return { inputs: { topic: TopicArn, protocol: Protocol, endpoint: Endpoint }, outputs: { arn: id } };
      },
      delete: (id) => sns("Unsubscribe", { SubscriptionArn: id }),
    },
  };
}

const alarmKeys = [
  ...["comparisonOperator", "threshold", "evaluationPeriods", "treatMissingData", "namespace", "dimensions"],
  ...["metricName", "statistic", "period", "alarmActions", "okActions", "alarmDescription"],
];

/** The one field that is not spelt like the others. */
const withOkActions = ({ OkActions, ...rest }: Answer) =>
  OkActions === undefined ? rest : { ...rest, OKActions: OkActions };
const dimensionList = (dimensions: Answer = {}) => Object.entries(dimensions).map(([Name, Value]) => ({ Name, Value }));

function metricAlarmParams({ name, dimensions, metricQueries, ...inputs }: Answer): Answer {
  return {
    ...{ ...withOkActions(capitalised(inputs)), AlarmName: name },
    ...(dimensions === undefined ? {} : { Dimensions: dimensionList(dimensions) }),
    ...(metricQueries === undefined ? {} : { Metrics: metricQueries.map(queryParams) }),
  };
}

function queryParams({ metric, ...query }: Answer): Answer {
  if (metric === undefined) return capitalised(query);
  const { metricName, namespace, dimensions, period, stat } = metric;
  const Metric = { MetricName: metricName, Namespace: namespace, Dimensions: dimensionList(dimensions) };
  return { ...capitalised(query), MetricStat: { Metric, Period: period, Stat: stat }, ReturnData: false };
}

/** Likewise, the other way round. */
function queryOf({ MetricStat, ReturnData, ...query }: Answer): Answer {
  if (MetricStat === undefined) return { ...lowered(query), returnData: ReturnData };
  const { Metric, Period, Stat } = MetricStat;
  const dimensions = Object.fromEntries((Metric.Dimensions ?? []).map(({ Name, Value }: Answer) => [Name, Value]));
  return {
    ...lowered(query),
    metric: {
      ...{ metricName: Metric.MetricName, namespace: Metric.Namespace, period: Period, stat: Stat },
      ...(Object.keys(dimensions).length === 0 ? {} : { dimensions }),
    },
  };
}
