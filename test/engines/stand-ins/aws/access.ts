import { type Answer, type AwsApi, orGone } from "./api.ts";
import { type Described, goneTags, tagList, tagsOf } from "./kind.ts";

/** Roles, secrets and logs. */
export function accessKinds(api: AwsApi): Record<string, Described> {
  const iam = (action: string, params: object) => api.call("iam", action, params);
  const logs = (action: string, params: object) => api.call("logs", action, params);
  const secrets = (action: string, params: object) => api.call("secretsmanager", action, params);
  const group = async (logGroupNamePrefix: string): Promise<Answer> => {
    const { logGroups } = await logs("DescribeLogGroups", { logGroupNamePrefix });
    return logGroups.find(({ logGroupName }: Answer) => logGroupName === logGroupNamePrefix);
  };
  // Text, whichever way botocore has read the policy.
  const text = (document: unknown): string => (typeof document === "string" ? document : JSON.stringify(document));
  const putPolicy = ({ role, name, policy }: Answer) =>
    iam("PutRolePolicy", { RoleName: role, PolicyName: name, PolicyDocument: policy });
  const retention = (logGroupName: string, { retentionInDays }: Answer) =>
    logs("PutRetentionPolicy", { logGroupName, retentionInDays });
  return {
    "aws:iam/role:Role": {
      autonamed: true,
      inputs: ["name", "assumeRolePolicy", "tags"],
      async create({ name, assumeRolePolicy, tags }) {
        await iam("CreateRole", { RoleName: name, AssumeRolePolicyDocument: assumeRolePolicy, Tags: tagList(tags) });
        return name;
      },
      async live(id) {
        const answer = await orGone(iam("GetRole", { RoleName: id }));
        if (answer === undefined) return undefined;
        const { RoleName, AssumeRolePolicyDocument, Tags, Arn } = answer.Role;
        const assumeRolePolicy = text(AssumeRolePolicyDocument);
        return { inputs: { name: RoleName, assumeRolePolicy, tags: tagsOf(Tags) }, outputs: { arn: Arn } };
      },
      update: {
        async tags(id, news, olds) {
          const gone = goneTags(olds, news);
          if (gone.length > 0) await iam("UntagRole", { RoleName: id, TagKeys: gone });
          await iam("TagRole", { RoleName: id, Tags: tagList(news.tags) });
        },
        assumeRolePolicy: (id, news) =>
          iam("UpdateAssumeRolePolicy", { RoleName: id, PolicyDocument: news.assumeRolePolicy }),
      },
      delete: (id) => iam("DeleteRole", { RoleName: id }),
    },
    "aws:iam/rolePolicy:RolePolicy": {
      autonamed: true,
      inputs: ["name", "role", "policy"],
      async create(inputs) {
        await putPolicy(inputs);
        return `${inputs.role}:${inputs.name}`;
      },
      async live(_id, { role, name }) {
        const answer = await orGone(iam("GetRolePolicy", { RoleName: role, PolicyName: name }));
        return answer === undefined ? undefined : { inputs: { policy: text(answer.PolicyDocument) } };
      },
      update: { policy: (_id, news) => putPolicy(news) },
      delete: (_id, { role, name }) => iam("DeleteRolePolicy", { RoleName: role, PolicyName: name }),
    },
    "aws:iam/rolePolicyAttachment:RolePolicyAttachment": {
      inputs: ["role", "policyArn"],
      async create({ role, policyArn }) {
        await iam("AttachRolePolicy", { RoleName: role, PolicyArn: policyArn });
        return `${role}/${policyArn}`;
      },
      async live(_id, { role, policyArn }) {
        const answer = await orGone(iam("ListAttachedRolePolicies", { RoleName: role }));
        const found = answer?.AttachedPolicies.some(({ PolicyArn }: Answer) => PolicyArn === policyArn);
        return found === true ? { inputs: {} } : undefined;
      },
      delete: (_id, { role, policyArn }) => iam("DetachRolePolicy", { RoleName: role, PolicyArn: policyArn }),
    },
    "aws:secretsmanager/secret:Secret": {
      autonamed: true,
      inputs: ["name", "description", "kmsKeyId", "recoveryWindowInDays", "tags"],
      async create({ name, description, kmsKeyId, tags }) {
        const key = kmsKeyId === undefined ? {} : { KmsKeyId: kmsKeyId };
        const wanted = { Name: name, Description: description, ...key, Tags: tagList(tags) };
        return (await secrets("CreateSecret", wanted)).ARN;
      },
      async live(id) {
        const answer = await orGone(secrets("DescribeSecret", { SecretId: id }));
        if (answer === undefined || answer.DeletedDate !== undefined) return undefined;
        const { Name, Description, Tags } = answer;
        return { inputs: { name: Name, description: Description, tags: tagsOf(Tags) }, outputs: { arn: id } };
      },
      update: {
        async tags(id, news, olds) {
          const gone = goneTags(olds, news);
          if (gone.length > 0) await secrets("UntagResource", { SecretId: id, TagKeys: gone });
          await secrets("TagResource", { SecretId: id, Tags: tagList(news.tags) });
        },
        description: (id, news) => secrets("UpdateSecret", { SecretId: id, Description: news.description }),
      },
      delete: (id, { recoveryWindowInDays }) =>
        secrets("DeleteSecret", { SecretId: id, ForceDeleteWithoutRecovery: recoveryWindowInDays === 0 }),
    },
    "aws:secretsmanager/secretVersion:SecretVersion": {
      inputs: ["secretId", "secretString"],
      async create({ secretId, secretString }) {
        const { VersionId } = await secrets("PutSecretValue", { SecretId: secretId, SecretString: secretString });
        return `${secretId}|${VersionId}`;
      },
      async live(id) {
        const [SecretId, VersionId] = id.split("|");
        const answer = await orGone(secrets("GetSecretValue", { SecretId, VersionId }));
        if (answer === undefined) return undefined;
        return { inputs: { secretString: answer.SecretString }, outputs: { versionId: VersionId } };
      },
      // It goes with its secret, or ages behind the next version.
      delete: async () => {},
    },
    "aws:cloudwatch/logGroup:LogGroup": {
      autonamed: true,
      inputs: ["name", "retentionInDays", "kmsKeyId", "tags"],
      async create(inputs) {
        const { name, kmsKeyId, tags } = inputs;
        await logs("CreateLogGroup", { logGroupName: name, ...(kmsKeyId === undefined ? {} : { kmsKeyId }), tags });
        await retention(name, inputs);
        return name;
      },
      async live(id) {
        const found = await group(id);
        if (found === undefined) return undefined;
        const arn = found.arn.replace(/:\*$/, "");
        const { tags } = await logs("ListTagsLogGroup", { logGroupName: id });
        return { inputs: { name: id, retentionInDays: found.retentionInDays, tags }, outputs: { arn } };
      },
      update: {
        retentionInDays: retention,
        async tags(id, news, olds) {
          const gone = goneTags(olds, news);
          if (gone.length > 0) await logs("UntagLogGroup", { logGroupName: id, tags: gone });
          await logs("TagLogGroup", { logGroupName: id, tags: news.tags });
        },
      },
      delete: (id) => logs("DeleteLogGroup", { logGroupName: id }),
    },
    "aws:cloudwatch/logMetricFilter:LogMetricFilter": {
      autonamed: true,
      inputs: ["name", "logGroupName", "pattern", "metricTransformation"],
      async create({ name, logGroupName, pattern, metricTransformation }) {
        const { namespace, name: metricName, value } = metricTransformation;
        await logs("PutMetricFilter", {
          ...{ filterName: name, logGroupName, filterPattern: pattern },
          metricTransformations: [{ metricNamespace: namespace, metricName, metricValue: value }],
        });
        return name;
      },
      async live(id, { logGroupName }) {
        const answer = await orGone(logs("DescribeMetricFilters", { logGroupName, filterNamePrefix: id }));
        const [filter] = answer?.metricFilters ?? [];
        if (filter === undefined) return undefined;
        const [{ metricNamespace, metricName, metricValue }] = filter.metricTransformations;
        const metricTransformation = { namespace: metricNamespace, name: metricName, value: metricValue };
        return { inputs: { name: id, logGroupName, pattern: filter.filterPattern, metricTransformation } };
      },
      delete: (id, { logGroupName }) => logs("DeleteMetricFilter", { filterName: id, logGroupName }),
    },
  };
}
