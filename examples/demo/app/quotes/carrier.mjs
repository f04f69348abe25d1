const carrierUrl = process.env.CARRIER_URL ?? 'http://127.0.0.1:8089';

/** What the carrier asks for a parcel to a country, in cents. */
export async function shippingPrice(country) {
  const response = await fetch(new URL(`/prices/${encodeURIComponent(country)}`, carrierUrl)); // mark: waits-for-carrier
  const { cents } = await response.json();
  return cents;
}
