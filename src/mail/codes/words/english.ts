import type { CodeWords } from '../words.ts';
import { cross } from './cross.ts';

// biome-ignore format: a table
const THINGS = [
  'order', 'invoice', 'receipt', 'booking', 'reservation', 'ticket', 'case', 'tracking', 'shipment', 'parcel',
  'package', 'customer', 'client', 'account', 'member', 'membership', 'reference', 'ref', 'transaction', 'payment',
  'policy', 'contract', 'serial', 'model', 'item', 'product', 'sku', 'article', 'part', 'purchase order', 'po', 'vat',
  'tax', 'confirmation', 'request', 'issue', 'build', 'batch', 'license', 'licence', 'registration', 'student',
  'employee', 'itinerary', 'quote', 'statement', 'delivery', 'return', 'rma', 'pnr', 'claim', 'patient', 'passport',
  'card', 'loyalty',
];

export const ENGLISH: CodeWords = {
  strong: [
    ...cross(
      // biome-ignore format: a table
      [
        'verification', 'security', 'one time', 'single use', 'temporary', 'login', 'log in', 'sign in', 'signin',
        'sign on', 'sign up', 'signup', 'access', 'authentication', 'authorization', 'authorisation', 'activation',
        'auth', '2fa', 'mfa', 'two factor', 'two factor authentication', 'two step verification', 'two step',
        '2 step verification', '2 step', 'multi factor authentication', 'validation', 'verify', 'email verification',
        'account verification', 'identity', 'device', 'pairing', 'recovery', 'backup', 'reset', 'password reset',
        'unlock', 'magic', 'email confirmation', 'account confirmation', 'identification', 'onetime',
        'digit verification', 'digit security', 'digit login',
      ],
      ' ',
      ['code', 'codes', 'pin', 'passcode', 'pass code', 'token'],
    ),
    // biome-ignore format: a table
    ...[
      'one time password', 'one time passcode', 'one time pass code', 'onetime password', 'otp', 'otp code',
      'passcode',
    ],
    ...['pass code', 'digit code', 'digit pin', 'digit passcode', 'digit number', 'single use password'],
  ],
  weak: ['code', 'codes', 'pin', 'pin code', 'confirmation code', 'token', 'verification number', 'pickup code'],
  // biome-ignore format: a table
  actions: [
    'enter', 'enter it', 'enter this', 'type', 'type in', 'use', 'input', 'paste', 'copy', 'submit', 'provide',
    'quote',
  ],
  // biome-ignore format: a table
  purposes: [
    'sign in', 'log in', 'login', 'signin', 'sign up', 'verify', 'verifying', 'verification', 'authenticate',
    'authentication', 'confirm your', 'confirm that', 'confirm it', 'confirm this', 'complete your', 'finish signing',
    'logging in', 'signing in', 'signing up', 'reset your password', 'two factor', 'activate your', 'prove',
    'link your device',
  ],
  names: [
    ...cross(THINGS, ' ', ['number', 'numbers', 'no', 'num', 'id', 'nr', 'ref', 'reference']),
    ...cross(
      // biome-ignore format: a table
      [
        'order', 'booking', 'reservation', 'tracking', 'reference', 'product', 'item', 'article', 'promo', 'promotion',
        'promotional', 'coupon', 'discount', 'voucher', 'gift', 'gift card', 'offer', 'referral', 'invite',
        'invitation', 'zip', 'postal', 'post', 'area', 'country', 'dialing', 'dialling', 'qr', 'bar', 'error',
        'status', 'exit', 'response', 'swift', 'bic', 'sort', 'bank', 'branch', 'routing', 'source', 'dress', 'colour',
        'color', 'reason', 'airport', 'currency', 'language', 'hs', 'tariff', 'class', 'course', 'store', 'shop',
        'deal', 'partner', 'affiliate', 'campaign', 'tax', 'vin', 'model', 'tracking number', 'door', 'gate',
        'building', 'redemption', 'savings', 'sale',
      ],
      ' ',
      ['code', 'codes'],
    ),
    // biome-ignore format: a table
    ...[
      'zipcode', 'postcode', 'barcode', 'unicode', 'decode', 'encode', 'sourcecode', 'code of conduct', 'code review*',
      'security code review*', 'source code review*', 'code freeze', 'phone number', 'telephone number', 'call us',
      'call us at', 'whatsapp', 'record locator', 'iban', 'routing number', 'sort code', 'company number',
      'registered number', 'registration number', 'charity number', 'license number', 'meter reading', 'ending in',
      'ending', 'ends', 'ends in', 'ending with', 'ended in', 'last four digits', 'last 4 digits', 'serial number',
      'isbn', 'issn', 'imei', 'po box', 'p.o. box', 'pull request', 'vat id',
    ],
  ],
  // biome-ignore format: a table
  things: [
    ...THINGS, 'phone', 'telephone', 'tel', 'fax', 'mobile', 'hotline', 'toll free', 'seat', 'room', 'suite', 'flight',
    'train', 'gate', 'coach', 'apt', 'apartment', 'extension', 'locker', 'vehicle', 'plate', 'version', 'release',
    'port', 'commit', 'abn', 'call', 'dial', 'text', 'box', 'total', 'subtotal', 'amount', 'balance', 'sum', 'year',
    'points', 'page',
  ],
  // biome-ignore format: a table
  offers: [
    'checkout', 'discount', 'coupon', 'voucher', 'promo', 'promotion', 'off your', 'free shipping', 'sale ends',
    'at the till', 'in the basket', 'your basket', 'your cart', 'shop now', 'redeem', 'gift card', 'save up to',
    '% off', 'off everything',
  ],
  // biome-ignore format: a table
  meetings: [
    'meeting id', 'webinar id', 'conference id', 'dial in', 'join by phone', 'meeting passcode',
    'access code for the call',
  ],
  // biome-ignore format: a table
  assurances: [
    'expires', 'expire', 'will expire', 'valid for', 'is valid', 'do not share', "don't share", 'never share',
    'never ask', "didn't request", 'did not request', "didn't try", 'did not try', "didn't make", 'did not initiate',
    'keep it secret', 'ignore this', 'safely ignore', 'can only be used once', "wasn't you", 'someone tried',
  ],
};
